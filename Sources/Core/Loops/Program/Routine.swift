/// A routine of dense linear algebra on single matrices: what has no loop definition.
///
/// All matrices are dense and row-major. The interpreter calls LAPACK; emitted C contains the routine's text
/// (`Sources/EmitC/Routines`), which is also what the reference evaluator runs.
package struct Routine: Hashable, Sendable {
  /// What is computed; the names of the C functions.
  package enum Name: String, CaseIterable, Sendable {
    case cholesky, lu, qr, eigh, svd, eig
    case triangularSolve = "triangular_solve"
  }

  package var name: Name
  /// The element type of the matrices, `f32` or `f64`.
  package var type: ScalarType
  /// The integers that the routine takes, in the order of its C function: sizes, then flags as 0 and 1.
  package var numbers: [Int]

  package init(_ name: Name, _ type: ScalarType, _ numbers: [Int]) {
    self.name = name
    self.type = type
    self.numbers = numbers
  }

  /// How many integers each routine takes.
  package static func numberCount(_ name: Name) -> Int {
    switch name {
    case .cholesky, .eigh, .eig: 1
    case .lu, .svd: 2
    case .qr: 3
    case .triangularSolve: 5
    }
  }

  /// The elements of each matrix that the routine reads.
  package var operandCounts: [Int] {
    switch name {
    case .cholesky, .eigh, .eig: [numbers[0] * numbers[0]]
    case .lu, .svd, .qr: [numbers[0] * numbers[1]]
    case .triangularSolve: [numbers[0] * numbers[0], numbers[0] * numbers[1]]
    }
  }

  /// The elements and types of what the routine writes, all of it.
  package var results: [(count: Int, type: ScalarType)] {
    let (first, second) = (numbers[0], numbers.count > 1 ? numbers[1] : numbers[0])
    let least = min(first, second)
    switch name {
    case .cholesky: return [(first * first, type)]
    case .lu: return [(first * second, type), (least, .i32), (first, .i64)]
    case .triangularSolve: return [(first * second, type)]
    case .qr:
      let columns = numbers[2] != 0 ? first : least
      return [(first * columns, type), (columns * second, type)]
    case .eigh: return [(first, type), (first * first, type)]
    case .svd: return [(first * least, type), (least, type), (least * second, type)]
    case .eig: return [(first, type), (first, type), (first * first, type), (first * first, type)]
    }
  }

  /// The elements of the memory that the routine's C text works in; LAPACK brings its own.
  package var workCount: Int {
    switch name {
    case .cholesky, .lu, .triangularSolve: return 0
    case .qr: return numbers[0] * numbers[1] + min(numbers[0], numbers[1])
    case .eigh: return 2 * numbers[0] * numbers[0]
    case .svd:
      let least = min(numbers[0], numbers[1])
      return numbers[0] * numbers[1] + least * least
    case .eig: return 2 * numbers[0] * numbers[0] + numbers[0]
    }
  }

  /// Why the routine may fail, depending on the data; nil where it never does.
  package var failure: String? {
    switch name {
    case .lu, .qr: nil
    case .triangularSolve: numbers[4] != 0 ? "the matrix is singular" : nil
    case .cholesky: "the matrix is not positive-definite"
    case .eigh, .svd, .eig: "the iteration does not converge: the matrix is ill-conditioned, or not finite"
    }
  }
}

/// A routine with the places of what it reads and writes.
package struct RoutineCall: Hashable, Sendable {
  /// The elements of a buffer from a position on.
  package struct Block: Hashable, Sendable {
    package var buffer: BufferID
    package var start: Index

    package init(buffer: BufferID, start: Index) {
      self.buffer = buffer
      self.start = start
    }
  }

  package var routine: Routine
  package var operands: [Block]
  package var results: [Block]
  /// Memory to work in, where the routine needs some.
  package var work: Block?

  package init(_ routine: Routine, operands: [Block], results: [Block], work: Block? = nil) {
    self.routine = routine
    self.operands = operands
    self.results = results
    self.work = work
  }

  /// What is read, with the number of elements.
  package var reads: [(block: Block, count: Int)] { zip(operands, routine.operandCounts).map { ($0, $1) } }

  /// What is written, with the number of elements.
  package var writes: [(block: Block, count: Int)] {
    zip(results, routine.results).map { ($0, $1.count) } + (work.map { [($0, routine.workCount)] } ?? [])
  }

  /// All blocks in the order of the C function's arguments.
  package var blocks: [Block] { operands + results + (work.map { [$0] } ?? []) }

  /// The call with every block changed.
  package func mapping(_ body: (Block) throws -> Block) rethrows -> RoutineCall {
    RoutineCall(
      routine, operands: try operands.map(body), results: try results.map(body), work: try work.map(body))
  }
}
