internal import Foundation
public import LatheCore
internal import SwiftProtobuf

extension NDArray {
  /// Reads a serialized ONNX `TensorProto`, the content of the `.pb` files of ONNX's test data.
  ///
  /// - Throws: What is wrong with the bytes: not a protobuf, an element type that is not supported, sizes that do not fit
  ///   the data.
  public init(onnxTensor bytes: [UInt8], file: String? = nil) throws(DiagnosticsError) {
    let tensor = try Onnx_TensorProto(checking: bytes, file: file)
    do {
      self = try tensor.array()
    } catch {
      throw DiagnosticsError(error.message, location: Location(file: file), help: error.help)
    }
  }

  /// The tensor as a serialized ONNX `TensorProto`.
  public func onnxTensor(name: String = "") -> [UInt8] {
    let tensor = Onnx_TensorProto(self, name: name)
    // Serializing fails for missing required fields only, of which ONNX has none.
    return (try? tensor.serializedBytes()) ?? []
  }
}

extension NDArray {
  /// The elements as files hold them: those of fewer than eight bits packed.
  var packedBytes: [UInt8] { bytes.packed(dtype) }
}

extension SwiftProtobuf.Message {
  /// Parses a message; a failure becomes a diagnostic.
  init(checking bytes: some SwiftProtobufContiguousBytes, file: String?) throws(DiagnosticsError) {
    do {
      try self.init(serializedBytes: bytes)
    } catch {
      throw DiagnosticsError(
        "not a valid ONNX file: \(Self.protoMessageName) cannot be read (\(error))", location: Location(file: file),
        help: "is it truncated, or a text or archive file?")
    }
  }
}

extension Onnx_TensorProto {
  /// The largest number of elements that a tensor of a file may have; more is taken for a damaged file.
  static let largestElementCount = 1 << 40

  /// The sizes of the axes, checked.
  func shape() throws(TypeFault) -> [Int] {
    var count = 1
    for size in dims {
      guard size >= 0 else { throw TypeFault("the size \(size) in \(dims) is negative") }
      let (product, overflow) = count.multipliedReportingOverflow(by: Swift.max(1, Int(size)))
      guard !overflow, product <= Self.largestElementCount else {
        throw TypeFault("the sizes \(dims) are absurdly large")
      }
      count = product
    }
    return dims.map { Int($0) }
  }

  /// The tensor as an array.
  ///
  /// - Parameter external: Where external data may be read from; nil forbids it.
  func array(_ external: ExternalData? = nil) throws(TypeFault) -> NDArray {
    let dtype = try ScalarType(onnx: Int(dataType))
    let shape = try shape()
    let count = shape.reduce(1, *)
    guard !hasSegment else { throw TypeFault("tensors in segments are not supported") }
    if dataLocation == .external {
      guard let external else {
        throw TypeFault(
          "the data is in another file, which cannot be read from here", help: "import the model by its path")
      }
      let bytes = try external.bytes(externalData, count: (count * dtype.bitCount + 7) / 8)
      return unfailing { try NDArray(dtype: dtype, shape: shape, bytes: bytes.normalized(dtype, count: count)) }
    }
    if !rawData.isEmpty || (hasRawData && count == 0) {
      let needed = (count * dtype.bitCount + 7) / 8
      guard rawData.count == needed else {
        throw TypeFault("\(dtype)\(shape) needs \(needed) bytes, \(rawData.count) are there")
      }
      return unfailing {
        try NDArray(dtype: dtype, shape: shape, bytes: [UInt8](rawData).normalized(dtype, count: count))
      }
    }
    switch dtype {
    case .f32: return try filled(floatData, shape)
    case .f64: return try filled(doubleData, shape)
    case .i64: return try filled(int64Data, shape)
    case .i32: return try filled(int32Data, shape)
    case .u64: return try filled(uint64Data, shape)
    case .u32: return try filled(uint64Data.map { UInt32(truncatingIfNeeded: $0) }, shape)
    case .i16: return try filled(int32Data.map { Int16(truncatingIfNeeded: $0) }, shape)
    case .i8: return try filled(int32Data.map { Int8(truncatingIfNeeded: $0) }, shape)
    case .u8: return try filled(int32Data.map { UInt8(truncatingIfNeeded: $0) }, shape)
    case .u16: return try filled(int32Data.map { UInt16(truncatingIfNeeded: $0) }, shape)
    case .bool: return try filled(int32Data.map { $0 != 0 }, shape)
    case .f16, .bf16:  // bit patterns in the low halves
      let bits = try filled(int32Data.map { UInt16(truncatingIfNeeded: $0) }, shape)
      return unfailing { try NDArray(dtype: dtype, shape: shape, bytes: bits.bytes) }
    default:  // a byte in each number: a code, or several codes packed
      let isPacked = dtype.bitCount == 4 || dtype.bitCount == 2
      let needed = isPacked ? (count * dtype.bitCount + 7) / 8 : count
      let bytes = int32Data.map { UInt8(truncatingIfNeeded: $0) }
      guard bytes.count == needed else {
        throw TypeFault("\(dtype)\(shape) needs \(needed) numbers, \(bytes.count) are there")
      }
      return unfailing {
        try NDArray(dtype: dtype, shape: shape, bytes: isPacked ? bytes.unpacked(dtype, count: count) : bytes)
      }
    }
  }

  private func filled<Element: NativeScalar>(_ elements: [Element], _ shape: [Int]) throws(TypeFault) -> NDArray {
    let count = shape.reduce(1, *)
    guard elements.count == count else {
      throw TypeFault("\(Element.scalarType)\(shape) needs \(count) elements, \(elements.count) are there")
    }
    return unfailing { try NDArray(elements, shape: shape) }
  }
}

extension Onnx_SparseTensorProto {
  /// The tensor as an array with all its zeros.
  func array(_ external: ExternalData? = nil) throws(TypeFault) -> NDArray {
    let shape = try Onnx_TensorProto.with { $0.dims = dims }.shape()
    let count = shape.reduce(1, *)
    let (values, places) = (try values.array(external), try indices.array(external))
    let isListed = places.shape.count == 2
    guard values.shape.count == 1, places.dtype == .i64,
      isListed ? places.shape == [values.count, shape.count] : places.shape == [values.count]
    else { throw TypeFault("the values \(values.type) and their places \(places.type) do not fit \(shape)") }
    var bytes = [UInt8](repeating: 0, count: count * values.dtype.byteCount)
    let numbers = places.integers
    for position in 0..<values.count {
      var place = 0
      if isListed {
        for axis in shape.indices {
          let coordinate = numbers[position * shape.count + axis]
          guard (0..<shape[axis]).contains(coordinate) else { throw TypeFault("a place is outside of \(shape)") }
          place = place * shape[axis] + coordinate
        }
      } else {
        place = numbers[position]
      }
      guard (0..<count).contains(place) else { throw TypeFault("a place is outside of \(shape)") }
      let width = values.dtype.byteCount
      bytes.replaceSubrange(
        (place * width)..<((place + 1) * width), with: values.bytes[(position * width)..<((position + 1) * width)])
    }
    return unfailing { try NDArray(dtype: values.dtype, shape: shape, bytes: bytes) }
  }
}

extension Onnx_TypeProto {
  /// Whether it is a tensor, or an optional one.
  var isTensor: Bool {
    if case .optionalType(let inner) = value { return inner.elemType.isTensor }
    if case .tensorType = value { return true }
    return false
  }

  var isOptional: Bool { if case .optionalType = value { true } else { false } }

  /// The list's type, where it is one or an optional one.
  var sequence: Onnx_TypeProto.Sequence? {
    if case .optionalType(let inner) = value { return inner.elemType.sequence }
    if case .sequenceType(let list) = value { return list }
    return nil
  }

  /// The type of the tensor, where it is one.
  var tensor: Onnx_TypeProto.Tensor {
    if case .optionalType(let inner) = value { return inner.elemType.tensor }
    return tensorType
  }

  /// The kind of value, as messages name it.
  var kindText: String {
    switch value {
    case .tensorType: "tensor"
    case .sparseTensorType: "sparse tensor"
    case .sequenceType: "sequence"
    case .mapType: "map"
    case .optionalType: "optional"
    default: "value of an unknown type"
    }
  }
}

extension [UInt8] {
  /// Elements as they are in memory: one in a byte at least, truth values as 0 and 1, whatever non-zero bytes a file has
  /// for them.
  fileprivate func normalized(_ dtype: ScalarType, count: Int) -> [UInt8] {
    dtype == .bool && contains { $0 > 1 } ? map { $0 == 0 ? 0 : 1 } : unpacked(dtype, count: count)
  }
}
