private import COpenBLAS
private import CRoutines
internal import LatheCore

/// Results have the same bits for any number of threads.
private let oneThread: Void = openblas_set_num_threads(1)

/// That a routine failed.
struct RoutineFailure {
  /// The order of the leading minor that is at fault, where there is one; otherwise 0.
  var minor: Int32 = 0

  func message(of routine: Routine) -> String {
    guard let reason = routine.failure else { internalError("\(routine.name) cannot fail") }
    return minor > 0 ? "\(reason) (its leading minor of order \(minor))" : reason
  }
}

/// Routines by LAPACK, on row-major matrices.
extension LAPACKFloat {
  /// Runs a routine on dense row-major matrices: those that it reads, then those that it writes.
  ///
  /// To LAPACK a row-major matrix is its transpose.
  ///
  /// - Returns: Why it failed; nil where it did not.
  static func run(_ routine: Routine, _ places: [UnsafeMutableRawPointer]) -> RoutineFailure? {
    _ = oneThread
    let numbers = routine.numbers.map { Int32($0) }
    func real(_ position: Int) -> UnsafeMutablePointer<Self> { places[position].assumingMemoryBound(to: Self.self) }
    let failed: Bool
    switch routine.name {
    case .cholesky: return cholesky(numbers[0], real(0), real(1))
    case .lu:
      lu(
        Int(numbers[0]), Int(numbers[1]), real(0), real(1), places[2].assumingMemoryBound(to: Int32.self),
        places[3].assumingMemoryBound(to: Int64.self))
      failed = false
    case .triangularSolve:
      let n = Int(numbers[0])
      failed = numbers[4] != 0 && (0..<n).contains { real(0)[$0 * n + $0] == 0 }
      if !failed {
        real(2).update(from: real(1), count: n * Int(numbers[1]))
        // aᵀ is triangular on the other side, and x aᵀ = b for the transposes of b and x.
        trsm(
          letter(numbers[2] != 0 ? "L" : "U"), letter(numbers[3] != 0 ? "U" : "N"), numbers[0], numbers[1], real(0),
          real(2))
      }
    case .qr:
      qr(Int(numbers[0]), Int(numbers[1]), isComplete: numbers[2] != 0, real(0), real(1), real(2))
      failed = false
    case .eigh: failed = !eigh(Int(numbers[0]), real(0), real(1), real(2))
    case .svd: failed = !svd(Int(numbers[0]), Int(numbers[1]), real(0), real(1), real(2), real(3))
    case .eig: failed = !eig(Int(numbers[0]), real(0), real(1), real(2), real(3), real(4))
    }
    return failed ? RoutineFailure() : nil
  }

  private static func cholesky(
    _ n: Int32, _ a: UnsafePointer<Self>, _ l: UnsafeMutablePointer<Self>
  ) -> RoutineFailure? {
    let count = Int(n)
    for i in 0..<count {
      for j in 0..<count { l[i * count + j] = j <= i ? a[i * count + j] : 0 }
    }
    let info = potrf(letter("U"), n, l)
    // What is not finite passes some kernels of potrf.
    let isFinite = (0..<count).allSatisfy { l[$0 * count + $0].isFinite }
    return info == 0 && isFinite ? nil : RoutineFailure(minor: max(0, info))
  }

  /// A copy with rows and columns exchanged.
  private static func transpose(
    _ a: UnsafePointer<Self>, rows: Int, columns: Int, into b: UnsafeMutablePointer<Self>
  ) {
    for i in 0..<rows { for j in 0..<columns { b[j * rows + i] = a[i * columns + j] } }
  }

  private static func lu(
    _ m: Int, _ n: Int, _ a: UnsafePointer<Self>, _ lu: UnsafeMutablePointer<Self>,
    _ pivots: UnsafeMutablePointer<Int32>, _ permutation: UnsafeMutablePointer<Int64>
  ) {
    var copy = [Self](repeating: 0, count: m * n)
    copy.withUnsafeMutableBufferPointer { copy in
      guard let copy = copy.baseAddress else { return }
      transpose(a, rows: m, columns: n, into: copy)
      getrf(Int32(m), Int32(n), copy, pivots)
      transpose(copy, rows: n, columns: m, into: lu)
    }
    for i in 0..<m { permutation[i] = Int64(i) }
    for k in 0..<min(m, n) {
      let other = Int(pivots[k]) - 1
      (permutation[k], permutation[other]) = (permutation[other], permutation[k])
    }
  }

  private static func qr(
    _ m: Int, _ n: Int, isComplete: Bool, _ a: UnsafePointer<Self>, _ q: UnsafeMutablePointer<Self>,
    _ r: UnsafeMutablePointer<Self>
  ) {
    let least = min(m, n)
    let columns = isComplete ? m : least
    let workCount = 64 * max(n, columns)
    withUnsafeTemporaryAllocation(of: Self.self, capacity: m * max(n, columns) + least + workCount) { memory in
      guard let h = memory.baseAddress else { return }
      let tau = h + m * max(n, columns)
      let work = tau + least
      transpose(a, rows: m, columns: n, into: h)
      geqrf(Int32(m), Int32(n), h, tau, work, Int32(workCount))
      for i in 0..<columns { for j in 0..<n { r[i * n + j] = i <= j ? h[j * m + i] : 0 } }
      orgqr(Int32(m), Int32(columns), Int32(least), h, tau, work, Int32(workCount))
      transpose(h, rows: columns, columns: m, into: q)
    }
  }

  /// Turns column `i` of `left` to be positive in the first of its large numbers, and row `i` of `right` with it.
  private static func fixSigns(
    _ rows: Int, _ columns: Int, _ left: UnsafeMutablePointer<Self>,
    with right: (rows: UnsafeMutablePointer<Self>, length: Int)? = nil
  ) {
    for i in 0..<columns {
      let column = (0..<rows).map { Double(left[$0 * columns + i]) }
      guard lathe_orientation(rows, column, 1) < 0 else { continue }
      for k in 0..<rows { left[k * columns + i].negate() }
      guard let right else { continue }
      for k in 0..<right.length { right.rows[i * right.length + k].negate() }
    }
  }

  private static func eigh(
    _ n: Int, _ a: UnsafePointer<Self>, _ w: UnsafeMutablePointer<Self>, _ v: UnsafeMutablePointer<Self>
  ) -> Bool {
    guard (0..<n).allSatisfy({ i in (0...i).allSatisfy { a[i * n + $0].isFinite } }) else { return false }
    var integers = [Int32](repeating: 0, count: 3 + 5 * n)
    let workCount = 1 + 6 * n + 2 * n * n
    return withUnsafeTemporaryAllocation(of: Self.self, capacity: n * n + workCount) { memory in
      guard let vectors = memory.baseAddress else { return false }
      vectors.update(from: a, count: n * n)
      let info = syevd(
        letter("U"), Int32(n), vectors, w, vectors + n * n, Int32(workCount), &integers, Int32(integers.count))
      transpose(vectors, rows: n, columns: n, into: v)
      fixSigns(n, n, v)
      return info == 0
    }
  }

  /// The transpose is v diag(s) uᵀ.
  private static func svd(
    _ m: Int, _ n: Int, _ a: UnsafePointer<Self>, _ u: UnsafeMutablePointer<Self>, _ s: UnsafeMutablePointer<Self>,
    _ vh: UnsafeMutablePointer<Self>
  ) -> Bool {
    guard (0..<m * n).allSatisfy({ a[$0].isFinite }) else { return false }
    let least = min(m, n)
    let workCount = 4 * least * least + 7 * least + max(m, n) + 64 * (m + n)
    var integers = [Int32](repeating: 0, count: 8 * least)
    return withUnsafeTemporaryAllocation(of: Self.self, capacity: m * n + m * least + workCount) { memory in
      guard let copy = memory.baseAddress else { return false }
      let left = copy + m * n
      copy.update(from: a, count: m * n)
      // Column-major: the left vectors of the transpose are the rows of vh, its right ones the rows of uᵀ.
      let info = gesdd(Int32(n), Int32(m), copy, s, vh, left, left + m * least, Int32(workCount), &integers)
      // left is [least, m] column-major, which is u row-major.
      u.update(from: left, count: m * least)
      fixSigns(m, least, u, with: (vh, n))
      return info == 0
    }
  }

  private static func eig(
    _ n: Int, _ a: UnsafePointer<Self>, _ wr: UnsafeMutablePointer<Self>, _ wi: UnsafeMutablePointer<Self>,
    _ vr: UnsafeMutablePointer<Self>, _ vi: UnsafeMutablePointer<Self>
  ) -> Bool {
    guard (0..<n * n).allSatisfy({ a[$0].isFinite }) else { return false }
    let workCount = 64 * n
    return withUnsafeTemporaryAllocation(of: Self.self, capacity: 2 * n * n + workCount) { memory in
      guard let copy = memory.baseAddress else { return false }
      let vectors = copy + n * n
      transpose(a, rows: n, columns: n, into: copy)
      guard geev(Int32(n), copy, wr, wi, vectors, vectors + n * n, Int32(workCount)) == 0 else { return false }
      var column = 0
      while column < n {
        let isPair = wi[column] != 0
        var re = (0..<n).map { Double(vectors[column * n + $0]) }
        var im = (0..<n).map { isPair ? Double(vectors[(column + 1) * n + $0]) : 0 }
        guard lathe_unit(n, &re, &im, 1) == 0 else { return false }
        for i in 0..<n {
          (vr[i * n + column], vi[i * n + column]) = (Self(re[i]), Self(im[i]))
          if isPair { (vr[i * n + column + 1], vi[i * n + column + 1]) = (Self(re[i]), Self(-im[i])) }
        }
        column += isPair ? 2 : 1
      }
      return true
    }
  }
}
