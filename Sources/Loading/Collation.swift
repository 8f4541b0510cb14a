public import LatheCore

/// Samples of which a batch can be made: `torch.utils.data.default_collate`.
///
/// Arrays are stacked, numbers make an array, texts stay a list; arrays and dictionaries of such samples are batches of
/// their parts.
public protocol Collatable: Sendable {
  /// What several samples become.
  associatedtype Batch: Sendable

  /// Makes a batch of samples, at least one.
  static func collate(_ samples: [Self]) throws(DiagnosticsError) -> Batch
}

/// Makes a batch of samples.
///
/// - Throws: For no samples, and for arrays of different shapes.
public func defaultCollate<Sample: Collatable>(_ samples: [Sample]) throws(DiagnosticsError) -> Sample.Batch {
  guard !samples.isEmpty else { throw DiagnosticsError("defaultCollate: no samples make no batch") }
  return try Sample.collate(samples)
}

/// Makes a batch of samples that are tuples: a tuple of batches.
///
/// - Throws: For no samples, and for arrays of different shapes.
public func defaultCollate<First: Collatable, Second: Collatable, each Other: Collatable>(
  _ samples: [(First, Second, repeat each Other)]
) throws(DiagnosticsError) -> (First.Batch, Second.Batch, repeat (each Other).Batch) {
  try collateParts(samples)
}

/// A batch of each part of tuples.
private func collateParts<each Part: Collatable>(
  _ samples: [(repeat each Part)]
) throws(DiagnosticsError) -> (repeat (each Part).Batch) {
  var columns = (repeat [each Part]())
  for sample in samples { columns = (repeat (each columns) + [each sample]) }
  return (repeat try defaultCollate(each columns))
}

extension NDArray: Collatable {
  /// The arrays along a new first axis.
  public static func collate(_ samples: [NDArray]) throws(DiagnosticsError) -> NDArray { try stack(samples) }
}

extension Collatable where Self: NativeScalar, Batch == NDArray {
  /// The numbers as an array of their type.
  public static func collate(_ samples: [Self]) -> NDArray { NDArray(samples) }
}

extension Double: Collatable {}
extension Float: Collatable {}
extension Int8: Collatable {}
extension Int16: Collatable {}
extension Int32: Collatable {}
extension Int64: Collatable {}
extension UInt8: Collatable {}
extension UInt16: Collatable {}
extension UInt32: Collatable {}
extension UInt64: Collatable {}
extension Bool: Collatable {}

extension Int: Collatable {
  /// The numbers as `i64`.
  public static func collate(_ samples: [Int]) -> NDArray { NDArray(samples.map { Int64($0) }) }
}

extension String: Collatable {
  /// The texts as they are.
  public static func collate(_ samples: [String]) -> [String] { samples }
}

extension Array: Collatable where Element: Collatable {
  /// A batch of each position.
  public static func collate(_ samples: [[Element]]) throws(DiagnosticsError) -> [Element.Batch] {
    guard let count = samples.first?.count, samples.allSatisfy({ $0.count == count }) else {
      throw DiagnosticsError("defaultCollate: samples have \(Set(samples.map(\.count)).sorted()) parts")
    }
    var batches: [Element.Batch] = []
    for position in 0..<count { batches.append(try Element.collate(samples.map { $0[position] })) }
    return batches
  }
}

extension Dictionary: Collatable where Key == String, Value: Collatable {
  /// A batch of each key of the first sample.
  public static func collate(_ samples: [[String: Value]]) throws(DiagnosticsError) -> [String: Value.Batch] {
    var batches: [String: Value.Batch] = [:]
    for key in samples.first.map({ Array($0.keys) }) ?? [] {
      let values = samples.compactMap { $0[key] }
      guard values.count == samples.count else {
        throw DiagnosticsError("defaultCollate: not every sample has '\(key)'")
      }
      batches[key] = try Value.collate(values)
    }
    return batches
  }
}
