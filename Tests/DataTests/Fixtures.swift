import Foundation
import LatheCore
import LatheData
import Testing

/// A file written by NumPy; see tools/data-fixtures.
func fixture(_ name: String) throws -> FileContent {
  let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
  return try FileContent(reading: folder.appendingPathComponent(name).path)
}

/// A fresh folder that is removed after `body`.
func withTemporaryFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-test-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}

/// The numbers in most fixtures, as NumPy's `astype` gives them.
func fixtureArray(_ dtype: ScalarType) -> NDArray {
  let numbers = [0, 1, 2, 3, 4, 100]
  return unfailing {
    try NDArray(
      dtype: dtype, shape: [2, 3],
      values: numbers.map { dtype.isFloat ? .float(Double($0)) : .integer(dtype == .bool ? min($0, 1) : $0) })
  }
}
