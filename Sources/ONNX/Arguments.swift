internal import LatheCore

/// What the inputs of a model stand for: tensors, sequences of them, and optionals of either, of which it must be known
/// what they hold.
extension Importer {
  func argument(
    _ input: Onnx_ValueInfoProto, _ constants: [String: NDArray], _ given: [String: TensorType]
  ) -> Operand {
    let name = input.name
    let location = Location(file: file, node: name)
    return builder.at(location) {
      do throws(TypeFault) {
        if input.type.isOptional {
          if absent.contains(name) { return Operand(.absent) }
          if lengths[name] == nil, given[name] == nil, given["\(name).0"] == nil {
            warnings.append(
              Diagnostic(
                "input '\(name)' is optional, and taken to hold something", severity: .warning, location: location,
                help: "--absent \(name) builds the model without it"))
          }
        }
        guard let list = input.type.sequence else {
          return Operand(try tensor(input, constants[name], given[name]), origin: Origin(inputs: [name]))
        }
        let elements = try elementTypes(name, list, given).enumerated().map { place, type in
          constants["\(name).\(place)"].map { builder.constant($0) } ?? builder.input("\(name).\(place)", type)
        }
        return Operand(.sequence(elements), origin: Origin(inputs: [name]))
      } catch {
        let without = input.type.isOptional ? "--absent \(name) builds the model without it" : nil
        let help = [error.help, without].compactMap { $0 }
        report("input '\(name)': \(error.message)", help: help.isEmpty ? nil : help.joined(separator: "; "))
        return Operand(builder.poison)
      }
    }
  }

  private func tensor(
    _ input: Onnx_ValueInfoProto, _ value: NDArray?, _ given: TensorType?
  ) throws(TypeFault) -> Tensor {
    guard let dtype = try declaredElementType(input.type) else { throw TypeFault("its type is not declared") }
    // Of a rank that is not declared, an array tells the shape.
    let declared = try declaredType(input.type, name: input.name)
    let type = declared ?? given.map { $0.with(dtype: dtype) }
    if let given, let type, given != type {
      throw TypeFault("is declared as \(declared?.description ?? dtype.rawValue), its array is \(given)")
    }
    if let value { return builder.constant(value) }
    guard let type else {
      throw TypeFault(
        "the number of its axes is not declared",
        help: "an array tells it: --input \(input.name)=FILE.npy when the model is run")
    }
    return builder.input(input.name, type)
  }

  /// The types of a sequence's elements, which are inputs of their own, `NAME.0`, `NAME.1` and so on: as many as its length
  /// says, or as there are arrays for.
  func elementTypes(
    _ name: String, _ list: Onnx_TypeProto.Sequence, _ given: [String: TensorType]
  ) throws(TypeFault) -> [TensorType] {
    let arrays = "arrays tell it: --input \(name).0=FILE.npy and so on"
    let dtype = try declaredElementType(list.elemType)
    let count = given.keys.filter { Self.isElement($0, of: name) }.count
    guard let length = lengths[name] ?? (count > 0 ? count : nil) else {
      // A length alone does where the elements' types are known, or where there are none.
      let isTyped = try declaredType(list.elemType, name: "\(name).0") != nil
      let known = "--length \(name)=COUNT tells it, or \(arrays)"
      throw TypeFault(
        "is a sequence, whose length is not known",
        help: isTyped ? known : "\(arrays), or --length \(name)=0 where it is empty")
    }
    guard length <= 1 << 16 else { throw TypeFault("\(length) elements are absurdly many") }
    guard count <= length else { throw TypeFault("there are arrays for \(count) elements, its length is \(length)") }
    var types: [TensorType] = []
    for element in (0..<length).map({ "\(name).\($0)" }) {
      if let type = given[element] {
        guard dtype == nil || type.dtype == dtype else {
          throw TypeFault("has elements of type \(dtype?.rawValue ?? ""), the array \(element) is \(type)")
        }
        types.append(type)
      } else if let type = try declaredType(list.elemType, name: element) {
        types.append(type)
      } else {
        throw TypeFault("the number of axes of its element \(element) is not declared", help: arrays)
      }
    }
    return types
  }

  /// Whether a name is that of an element of a sequence: `s.3` of `s`.
  static func isElement(_ name: String, of sequence: String) -> Bool {
    name.hasPrefix(sequence + ".") && Int(name.dropFirst(sequence.count + 1)).map { $0 >= 0 } == true
  }
}
