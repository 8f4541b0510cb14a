private import COpenBLAS

/// The functions of LAPACK and BLAS for one type of floats, on column-major matrices.
protocol LAPACKFloat: BinaryFloatingPoint {
  static func potrf(_ uplo: CChar, _ n: Int32, _ a: UnsafeMutablePointer<Self>) -> Int32
  static func getrf(
    _ m: Int32, _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ pivots: UnsafeMutablePointer<Int32>)
  static func geqrf(
    _ m: Int32, _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ tau: UnsafeMutablePointer<Self>,
    _ work: UnsafeMutablePointer<Self>, _ workCount: Int32)
  static func orgqr(
    _ m: Int32, _ n: Int32, _ k: Int32, _ a: UnsafeMutablePointer<Self>, _ tau: UnsafePointer<Self>,
    _ work: UnsafeMutablePointer<Self>, _ workCount: Int32)
  static func syevd(
    _ uplo: CChar, _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ w: UnsafeMutablePointer<Self>,
    _ work: UnsafeMutablePointer<Self>, _ workCount: Int32, _ integers: UnsafeMutablePointer<Int32>,
    _ integerCount: Int32
  ) -> Int32
  static func gesdd(
    _ m: Int32, _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ s: UnsafeMutablePointer<Self>,
    _ u: UnsafeMutablePointer<Self>, _ vt: UnsafeMutablePointer<Self>, _ work: UnsafeMutablePointer<Self>,
    _ workCount: Int32, _ integers: UnsafeMutablePointer<Int32>
  ) -> Int32
  static func geev(
    _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ wr: UnsafeMutablePointer<Self>, _ wi: UnsafeMutablePointer<Self>,
    _ v: UnsafeMutablePointer<Self>, _ work: UnsafeMutablePointer<Self>, _ workCount: Int32
  ) -> Int32
  static func trsm(
    _ uplo: CChar, _ diagonal: CChar, _ n: Int32, _ count: Int32, _ a: UnsafePointer<Self>,
    _ b: UnsafeMutablePointer<Self>)
}

extension Float: LAPACKFloat {
  static func potrf(_ uplo: CChar, _ n: Int32, _ a: UnsafeMutablePointer<Self>) -> Int32 {
    var info: Int32 = 0
    spotrf_([uplo], [n], a, [max(1, n)], &info, 1)
    return info
  }

  static func getrf(
    _ m: Int32, _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ pivots: UnsafeMutablePointer<Int32>
  ) {
    var info: Int32 = 0
    sgetrf_([m], [n], a, [max(1, m)], pivots, &info)
  }

  static func geqrf(
    _ m: Int32, _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ tau: UnsafeMutablePointer<Self>,
    _ work: UnsafeMutablePointer<Self>, _ workCount: Int32
  ) {
    var info: Int32 = 0
    sgeqrf_([m], [n], a, [max(1, m)], tau, work, [workCount], &info)
  }

  static func orgqr(
    _ m: Int32, _ n: Int32, _ k: Int32, _ a: UnsafeMutablePointer<Self>, _ tau: UnsafePointer<Self>,
    _ work: UnsafeMutablePointer<Self>, _ workCount: Int32
  ) {
    var info: Int32 = 0
    sorgqr_([m], [n], [k], a, [max(1, m)], tau, work, [workCount], &info)
  }

  static func syevd(
    _ uplo: CChar, _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ w: UnsafeMutablePointer<Self>,
    _ work: UnsafeMutablePointer<Self>, _ workCount: Int32, _ integers: UnsafeMutablePointer<Int32>,
    _ integerCount: Int32
  ) -> Int32 {
    var info: Int32 = 0
    ssyevd_(
      [letter("V")], [uplo], [n], a, [max(1, n)], w, work, [workCount], integers, [integerCount], &info, 1, 1)
    return info
  }

  static func gesdd(
    _ m: Int32, _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ s: UnsafeMutablePointer<Self>,
    _ u: UnsafeMutablePointer<Self>, _ vt: UnsafeMutablePointer<Self>, _ work: UnsafeMutablePointer<Self>,
    _ workCount: Int32, _ integers: UnsafeMutablePointer<Int32>
  ) -> Int32 {
    var info: Int32 = 0
    sgesdd_(
      [letter("S")], [m], [n], a, [max(1, m)], s, u, [max(1, m)], vt, [max(1, min(m, n))], work, [workCount], integers,
      &info, 1)
    return info
  }

  static func geev(
    _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ wr: UnsafeMutablePointer<Self>, _ wi: UnsafeMutablePointer<Self>,
    _ v: UnsafeMutablePointer<Self>, _ work: UnsafeMutablePointer<Self>, _ workCount: Int32
  ) -> Int32 {
    var info: Int32 = 0
    sgeev_(
      [letter("N")], [letter("V")], [n], a, [max(1, n)], wr, wi, nil, [1], v, [max(1, n)], work, [workCount], &info, 1,
      1)
    return info
  }

  static func trsm(
    _ uplo: CChar, _ diagonal: CChar, _ n: Int32, _ count: Int32, _ a: UnsafePointer<Self>,
    _ b: UnsafeMutablePointer<Self>
  ) {
    strsm_(
      [letter("R")], [uplo], [letter("N")], [diagonal], [count], [n], [1], a, [max(1, n)], b, [max(1, count)], 1, 1, 1,
      1)
  }
}

extension Double: LAPACKFloat {
  static func potrf(_ uplo: CChar, _ n: Int32, _ a: UnsafeMutablePointer<Self>) -> Int32 {
    var info: Int32 = 0
    dpotrf_([uplo], [n], a, [max(1, n)], &info, 1)
    return info
  }

  static func getrf(
    _ m: Int32, _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ pivots: UnsafeMutablePointer<Int32>
  ) {
    var info: Int32 = 0
    dgetrf_([m], [n], a, [max(1, m)], pivots, &info)
  }

  static func geqrf(
    _ m: Int32, _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ tau: UnsafeMutablePointer<Self>,
    _ work: UnsafeMutablePointer<Self>, _ workCount: Int32
  ) {
    var info: Int32 = 0
    dgeqrf_([m], [n], a, [max(1, m)], tau, work, [workCount], &info)
  }

  static func orgqr(
    _ m: Int32, _ n: Int32, _ k: Int32, _ a: UnsafeMutablePointer<Self>, _ tau: UnsafePointer<Self>,
    _ work: UnsafeMutablePointer<Self>, _ workCount: Int32
  ) {
    var info: Int32 = 0
    dorgqr_([m], [n], [k], a, [max(1, m)], tau, work, [workCount], &info)
  }

  static func syevd(
    _ uplo: CChar, _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ w: UnsafeMutablePointer<Self>,
    _ work: UnsafeMutablePointer<Self>, _ workCount: Int32, _ integers: UnsafeMutablePointer<Int32>,
    _ integerCount: Int32
  ) -> Int32 {
    var info: Int32 = 0
    dsyevd_(
      [letter("V")], [uplo], [n], a, [max(1, n)], w, work, [workCount], integers, [integerCount], &info, 1, 1)
    return info
  }

  static func gesdd(
    _ m: Int32, _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ s: UnsafeMutablePointer<Self>,
    _ u: UnsafeMutablePointer<Self>, _ vt: UnsafeMutablePointer<Self>, _ work: UnsafeMutablePointer<Self>,
    _ workCount: Int32, _ integers: UnsafeMutablePointer<Int32>
  ) -> Int32 {
    var info: Int32 = 0
    dgesdd_(
      [letter("S")], [m], [n], a, [max(1, m)], s, u, [max(1, m)], vt, [max(1, min(m, n))], work, [workCount], integers,
      &info, 1)
    return info
  }

  static func geev(
    _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ wr: UnsafeMutablePointer<Self>, _ wi: UnsafeMutablePointer<Self>,
    _ v: UnsafeMutablePointer<Self>, _ work: UnsafeMutablePointer<Self>, _ workCount: Int32
  ) -> Int32 {
    var info: Int32 = 0
    dgeev_(
      [letter("N")], [letter("V")], [n], a, [max(1, n)], wr, wi, nil, [1], v, [max(1, n)], work, [workCount], &info, 1,
      1)
    return info
  }

  static func trsm(
    _ uplo: CChar, _ diagonal: CChar, _ n: Int32, _ count: Int32, _ a: UnsafePointer<Self>,
    _ b: UnsafeMutablePointer<Self>
  ) {
    dtrsm_(
      [letter("R")], [uplo], [letter("N")], [diagonal], [count], [n], [1], a, [max(1, n)], b, [max(1, count)], 1, 1, 1,
      1)
  }
}

/// An argument of LAPACK that is a letter.
func letter(_ letter: Unicode.Scalar) -> CChar { CChar(truncatingIfNeeded: letter.value) }
