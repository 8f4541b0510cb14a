import LatheCore
import Testing

/// A tensor as it would be if others had other contents.
@Suite struct RecomputationTests {
  private let builder = Builder()
  private let x: Tensor
  private let other: Tensor
  private let given: Tensor

  init() {
    (x, other) = (builder.input("x", .f32(2, 2)), builder.input("other", .f32(2, 2)))
    given = builder.input("given", .f32(2, 2))
  }

  @Test("what does not depend on what is replaced stays")
  func unrelated() {
    let y = x.exp() + given
    #expect(y.recomputed(replacing: [(other, given)], in: builder).value == y.value)
    #expect(y.recomputed(replacing: [(x, other)], in: builder).value == (other.exp() + given).value)
  }

  @Test("of a node with several results, some may be given and others computed again")
  func severalResults() {
    let (q, r) = x.qr()
    let again = other.qr()
    let product = q + r * 2
    func recomputed(_ before: Tensor) -> Value {
      product.recomputed(replacing: [(x, other), (before, given)], in: builder).value
    }
    #expect(recomputed(q) == (given + again.r * 2).value)
    #expect(recomputed(r) == (again.q + given * 2).value)
  }
}
