/// A tape's tables as the machine reads them, without checks of bounds: the positions in a tape are its builder's own.
struct TapeView {
  let code: UnsafePointer<Instruction>
  let codeCount: Int
  let addresses: UnsafePointer<Address>
  let affines: UnsafePointer<Affine>
  let terms: UnsafePointer<AffineTerm>
  let conditions: UnsafePointer<Condition>
  let bounds: UnsafePointer<LoopBounds>
  let quotients: UnsafePointer<BoundQuotient>
  let factors: UnsafePointer<Int>
  let tables: UnsafePointer<Int>
  let tiles: UnsafePointer<TileReduction>
  let tileLoops: UnsafePointer<TileLoop>
  let calls: UnsafePointer<PreparedCall>
  /// Where the loop is entered that threads share; -1 where there is none.
  let sharedEntry: Int
}

extension Tape {
  /// Lends the tables.
  func withView<Result>(_ body: (TapeView) -> Result) -> Result {
    Self.withPointers(code, addresses, affines) { code, addresses, affines in
      Self.withPointers(terms, conditions, bounds) { terms, conditions, bounds in
        Self.withPointers(quotients, factors, tables) { quotients, factors, tables in
          Self.withPointers(tiles, tileLoops, calls) { tiles, tileLoops, calls in
            body(
              TapeView(
                code: code, codeCount: self.code.count, addresses: addresses, affines: affines, terms: terms,
                conditions: conditions, bounds: bounds, quotients: quotients, factors: factors, tables: tables,
                tiles: tiles, tileLoops: tileLoops, calls: calls, sharedEntry: shared.map { Int($0.entry) } ?? -1))
          }
        }
      }
    }
  }

  /// The storage of three arrays; an empty array gives a pointer that is never followed.
  private static func withPointers<A, B, C, Result>(
    _ a: [A], _ b: [B], _ c: [C], _ body: (UnsafePointer<A>, UnsafePointer<B>, UnsafePointer<C>) -> Result
  ) -> Result {
    func pointer<Element>(_ elements: UnsafeBufferPointer<Element>) -> UnsafePointer<Element> {
      elements.baseAddress ?? UnsafePointer(bitPattern: 64).unsafelyUnwrapped
    }
    return a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        c.withUnsafeBufferPointer { c in body(pointer(a), pointer(b), pointer(c)) }
      }
    }
  }
}
