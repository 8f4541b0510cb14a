import LatheCore
import Testing

@Suite struct NDArrayTests {
  @Test("elements come back as they were put", arguments: ScalarType.allCases)
  func elements(_ type: ScalarType) throws {
    let numbers: [ScalarValue] =
      type == .f8e8m0
      ? [.float(1), .float(0.5), .float(4)]
      : type.isFloat ? [.float(1), .float(-0.5), .float(0)] : [.integer(1), .integer(0), .integer(1)]
    let array = try NDArray(dtype: type, shape: [3, 1], values: numbers)
    #expect(array.values == numbers)
    #expect(array.count == 3 && array.bytes.count == 3 * type.byteCount)
    #expect(array.type == TensorType(type, [3, 1]))
    #expect(try NDArray(dtype: type, shape: [3, 1], bytes: array.bytes) == array)
  }

  @Test("native elements are read only as what they are") func native() {
    let array = NDArray([1.5, -2] as [Float])
    #expect(array.elements(as: Float.self) == [1.5, -2])
    #expect(array.elements(as: Double.self) == nil)
    #expect(array.elements(as: Int32.self) == nil)
    #expect(NDArray([true, false]).elements() as [Bool]? == [true, false])
  }

  @Test("equality and hashing go by type, shape and bits") func equality() throws {
    let zeros = NDArray([0.0, 0.0] as [Float])
    #expect(try zeros == NDArray.zeros(.f32, [2]))
    #expect(try zeros.hashValue == NDArray.zeros(.f32, [2]).hashValue)
    #expect(zeros != NDArray([-0.0, 0.0] as [Float]))
    #expect(try zeros != zeros.reshaped([2, 1]))
    #expect(NDArray([Float.nan]) == NDArray([Float.nan]))
    #expect(try NDArray.zeros(.i32, [2]) != zeros)
  }

  @Test("conversion rounds as the graph's convert does") func converts() {
    #expect(NDArray([1.9, -1.9, 300, .nan] as [Float]).converted(to: .i8).integers == [1, -1, 127, 0])
    #expect(NDArray([-1, 2] as [Int32]).converted(to: .bool).elements() as [Bool]? == [true, true])
    #expect(NDArray([1e10, 2.5] as [Double]).converted(to: .f16).doubles == [.infinity, 2.5])
  }

  @Test("copies are independent") func copies() {
    let first = NDArray([1, 2] as [Int32])
    var second = first
    second.withUnsafeMutableBytes { $0.storeBytes(of: 7, as: Int32.self) }
    #expect(first.integers == [1, 2] && second.integers == [7, 2])
  }

  @Test("empty tensors are tensors") func empty() throws {
    let array = try NDArray.zeros(.f64, [0, 3])
    #expect(try array.count == 0 && array.values.isEmpty && array == NDArray([] as [Double], shape: [0, 3]))
  }
}
