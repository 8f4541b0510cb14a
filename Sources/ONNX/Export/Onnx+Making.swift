internal import Foundation
internal import LatheCore
internal import SwiftProtobuf

/// Attributes with their types.
extension Onnx_AttributeProto {
  static func int(_ name: String, _ value: Int) -> Self {
    with {
      $0.name = name
      $0.type = .int
      $0.i = Int64(value)
    }
  }

  static func ints(_ name: String, _ values: [Int]) -> Self {
    with {
      $0.name = name
      $0.type = .ints
      $0.ints = values.map { Int64($0) }
    }
  }

  static func float(_ name: String, _ value: Double) -> Self {
    with {
      $0.name = name
      $0.type = .float
      $0.f = Float(value)
    }
  }

  static func string(_ name: String, _ value: String) -> Self {
    with {
      $0.name = name
      $0.type = .string
      $0.s = Data(value.utf8)
    }
  }

  static func strings(_ name: String, _ values: [String]) -> Self {
    with {
      $0.name = name
      $0.type = .strings
      $0.strings = values.map { Data($0.utf8) }
    }
  }

  static func tensor(_ name: String, _ value: NDArray) -> Self {
    with {
      $0.name = name
      $0.type = .tensor
      $0.t = Onnx_TensorProto(value, name: "")
    }
  }

  static func graph(_ name: String, _ value: Onnx_GraphProto) -> Self {
    with {
      $0.name = name
      $0.type = .graph
      $0.g = value
    }
  }
}
