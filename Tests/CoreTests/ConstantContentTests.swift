import Testing

@testable import LatheCore

/// What constant buffers hold, and when it is computed.
@Suite struct ConstantContentTests {
  private struct Loops: CustomTestStringConvertible {
    var name: String
    var origin = 0
    var extents: [Int]
    var strides: [Int]
    var filled: Int?

    var testDescription: String { name }

    var rearrangement: Rearrangement {
      Rearrangement(origin: origin, extents: extents, strides: strides, filled: filled ?? extents.last ?? 1)
    }

    /// Position by position, zero outside.
    func expected(_ elements: [Int16]) -> [Int16] {
      var positions: [Int?] = [origin]
      for (axis, (extent, stride)) in zip(extents, strides).enumerated() {
        let copied = axis == extents.count - 1 ? filled ?? extent : extent
        positions = positions.flatMap { first in
          (0..<extent).map { step in step < copied ? first.map { $0 + step * stride } : nil }
        }
      }
      return positions.map { $0.map { elements.indices.contains($0) ? elements[$0] : 0 } ?? 0 }
    }
  }

  private static let loops = [
    Loops(name: "one element", origin: 5, extents: [], strides: []),
    Loops(name: "as it is", extents: [4, 6], strides: [6, 1]),
    Loops(name: "transposed", extents: [6, 4], strides: [1, 6]),
    Loops(name: "in blocks", extents: [2, 6, 2], strides: [12, 1, 6]),
    Loops(name: "loops of one iteration", extents: [1, 6, 1, 4, 1], strides: [9, 1, 3, 6, 7]),
    Loops(name: "backwards", origin: 23, extents: [24], strides: [-1]),
    Loops(name: "beyond both ends", origin: -3, extents: [5, 3], strides: [7, 2]),
    Loops(name: "partly filled", extents: [3, 8], strides: [6, 1], filled: 6),
    Loops(name: "one of four filled", extents: [6, 4], strides: [4, 0], filled: 1),
    Loops(name: "nothing", extents: [3, 0], strides: [1, 1]),
  ]

  @Test("elements come in the order of the loops", arguments: loops)
  private func order(row: Loops) {
    let elements = (1...24).map { Int16($0) }
    let result = row.rearrangement.applied(to: NDArray(elements))
    #expect(result.elements(as: Int16.self) == row.expected(elements))
  }

  @Test(arguments: [ScalarType.bool, .f16, .f32, .f64])
  func elementsOfAnySize(dtype: ScalarType) throws {
    let array = try NDArray(dtype: dtype, shape: [6], values: [1, 0, 1, 1, 0, 0].map { .integer($0) })
    let turned = Rearrangement(origin: 5, extents: [6], strides: [-1], filled: 6).applied(to: array)
    #expect(turned.doubles == array.doubles.reversed())
  }

  @Test("contents are handed out piece by piece, all pieces but the last in whole words")
  func parts() throws {
    let literal = try NDArray((0..<1500).map { UInt16(truncatingIfNeeded: $0 &* 7919) }, shape: [50, 30])
    let turned = Rearrangement(origin: 0, extents: [30, 50], strides: [1, 30], filled: 50)
    let partly = Rearrangement(origin: 3, extents: [7, 5, 11], strides: [2, 150, 1], filled: 9)
    for (rearrangement, least) in [(turned, 2), (partly, 4)] {
      var bytes: [UInt8] = []
      var sizes: [Int] = []
      rearrangement.withParts(of: literal, pieceBytes: 200) { part in
        bytes += part
        sizes.append(part.count)
      }
      #expect(bytes == rearrangement.applied(to: literal).bytes)
      #expect(sizes.count >= least && sizes.dropLast().allSatisfy { $0 % 8 == 0 })
    }
  }

  @Test func loopsThatAreSplitOtherwiseAreEqual() {
    func blocks(_ extents: [Int], _ strides: [Int]) -> Rearrangement {
      Rearrangement(origin: 0, extents: extents, strides: strides, filled: extents.last ?? 1)
    }
    #expect(blocks([2, 3, 4], [48, 16, 1]) == blocks([6, 4], [16, 1]))
    #expect(blocks([6, 2, 2], [16, 2, 1]) == blocks([6, 1, 4], [16, 9, 1]))
    #expect(blocks([6, 4], [16, 1]) != blocks([4, 6], [1, 16]))
    #expect(blocks([4, 6], [6, 1]).keeps(24))
    #expect(!blocks([4, 6], [6, 1]).keeps(30))
    #expect(!Rearrangement(origin: 0, extents: [4, 6], strides: [6, 1], filled: 5).keeps(24))
  }

  @Test("programs of one graph that pack alike have equal contents, none of them computed")
  func contentsAreShared() throws {
    let builder = Builder()
    let x = builder.input("x", .f32(4, 96))
    let weight = builder.constant(try NDArray((0..<96 * 48).map { Float($0) }, shape: [96, 48]))
    let graph = try builder.finish(
      name: "product",
      outputs: [("y", x.dot(weight, DotGeneral(leftContracting: [1], rightContracting: [0])))])
    let contents = try Target.auto.map { target in
      try Program(lowering: graph, target: target).buffers.compactMap { buffer -> ConstantContent? in
        if case .constant(let content) = buffer.kind { content.flattened } else { nil }
      }
    }
    #expect(contents[0].count == 1)
    #expect(Set(contents).count == 1)
    #expect(contents[0][0].computed != contents[0][0])
  }
}
