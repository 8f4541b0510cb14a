internal import LatheCore

/// A tape's tables as the machine reads them, without checks of bounds: the positions in a tape are its builder's own.
///
/// They are copies that stay where they are, so that starting a small kernel costs no counting of references.
struct TapeView {
  let code: Table<Instruction>
  let literals: Table<Tape.Literal>
  let parameters: Table<Tape.Parameter>
  let addresses: Table<Address>
  let affines: Table<Affine>
  let terms: Table<AffineTerm>
  let conditions: Table<Condition>
  let bounds: Table<LoopBounds>
  let quotients: Table<BoundQuotient>
  let factors: Table<Int>
  let tables: Table<Int>
  let tiles: Table<TileReduction>
  let tileLoops: Table<TileLoop>
  let calls: Table<PreparedCall>
  /// Where the loop is entered that threads share; -1 where there is none.
  let sharedEntry: Int

  /// Copies the tables of a tape; `deallocate` gives their memory back.
  init(copying tape: Tape) {
    code = Table(tape.code)
    literals = Table(tape.literals)
    parameters = Table(tape.parameters)
    addresses = Table(tape.addresses)
    affines = Table(tape.affines)
    terms = Table(tape.terms)
    conditions = Table(tape.conditions)
    bounds = Table(tape.bounds)
    quotients = Table(tape.quotients)
    factors = Table(tape.factors)
    tables = Table(tape.tables)
    tiles = Table(tape.tiles)
    tileLoops = Table(tape.tileLoops)
    calls = Table(tape.calls)
    sharedEntry = tape.shared.map { Int($0.entry) } ?? -1
  }

  func deallocate() {
    code.deallocate()
    literals.deallocate()
    parameters.deallocate()
    addresses.deallocate()
    affines.deallocate()
    terms.deallocate()
    conditions.deallocate()
    bounds.deallocate()
    quotients.deallocate()
    factors.deallocate()
    tables.deallocate()
    tiles.deallocate()
    tileLoops.deallocate()
    calls.deallocate()
  }
}

/// Elements in memory of their own.
struct Table<Element> {
  let base: UnsafePointer<Element>
  let count: Int

  init(_ elements: [Element]) {
    let table = UnsafeMutableBufferPointer<Element>.allocate(capacity: Swift.max(1, elements.count))
    _ = table.initialize(fromContentsOf: elements)
    guard let start = table.baseAddress else { internalError("a table has no memory") }
    base = UnsafePointer(start)
    count = elements.count
  }

  func deallocate() {
    UnsafeMutablePointer(mutating: base).deinitialize(count: count)
    base.deallocate()
  }

  @inline(__always)
  subscript(position: Int) -> Element { base[position] }

  @inline(__always)
  static func + (table: Table, position: Int) -> UnsafePointer<Element> { table.base + position }
}

extension Table: Sequence {
  func makeIterator() -> UnsafeBufferPointer<Element>.Iterator {
    UnsafeBufferPointer(start: base, count: count).makeIterator()
  }
}
