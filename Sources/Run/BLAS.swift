internal import COpenBLAS
internal import Foundation

/// OpenBLAS, loaded when it is first needed.
///
/// It is not linked, because it chooses its kernels when it is loaded, and Debian's release knows fewer processors than
/// there are: on one with AVX-512 that is newer it takes its AVX2 kernels, at half the speed, unless
/// `OPENBLAS_CORETYPE` says otherwise before. Where the library is missing, contractions run as loops.
struct BLAS: Sendable {
  private let sgemm: lathe_sgemm
  private let dgemm: lathe_dgemm
  private let setThreads: lathe_set_num_threads
  /// The name of the kernels in use, `SkylakeX`.
  let core: String

  static let shared: BLAS? = BLAS()

  private init?() {
    if Self.hasAVX512 { setenv("OPENBLAS_CORETYPE", "SkylakeX", 0) }
    // Worker threads are asked for by sessions; the library should not make one per processor first.
    setenv("OPENBLAS_NUM_THREADS", "1", 0)
    var library: UnsafeMutableRawPointer?
    for name in ["libopenblas.so.0", "libopenblas.so", "libopenblas.0.dylib", "libopenblas.dylib"]
    where library == nil {
      library = dlopen(name, RTLD_NOW | RTLD_LOCAL)
    }
    guard let library, let sgemm = dlsym(library, "cblas_sgemm"), let dgemm = dlsym(library, "cblas_dgemm"),
      let threads = dlsym(library, "openblas_set_num_threads"), let core = dlsym(library, "openblas_get_corename")
    else { return nil }
    self.sgemm = unsafeBitCast(sgemm, to: lathe_sgemm.self)
    self.dgemm = unsafeBitCast(dgemm, to: lathe_dgemm.self)
    self.setThreads = unsafeBitCast(threads, to: lathe_set_num_threads.self)
    self.core = unsafeBitCast(core, to: lathe_get_corename.self)().map { String(cString: $0) } ?? ""
  }

  /// Whether the processor has what the kernels for AVX-512 servers need.
  private static var hasAVX512: Bool {
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("flags") })
    else { return false }
    let flags = Set(line.split(separator: " "))
    return ["avx512f", "avx512dq", "avx512cd", "avx512bw", "avx512vl"].allSatisfy { flags.contains($0) }
  }

  func use(threads: Int) { setThreads(Int32(threads)) }

  /// A matrix in memory: element `(i, j)` at `i * stride + j`, or at `j * stride + i` if transposed.
  struct Matrix {
    var start: UnsafeRawPointer
    var stride: Int
    var isTransposed: Bool
  }

  /// `result[rows, columns] = left[rows, contracted] * right[contracted, columns]`, in `f64` or `f32`.
  func multiply(
    _ left: Matrix, _ right: Matrix, into result: UnsafeMutableRawPointer, resultStride: Int, rows: Int, columns: Int,
    contracted: Int, isDouble: Bool
  ) {
    // The numbers are those of CBLAS: row-major, not transposed, transposed.
    let (rowMajor, plain, transposed) = (Int32(101), Int32(111), Int32(112))
    if isDouble {
      dgemm(
        rowMajor, left.isTransposed ? transposed : plain, right.isTransposed ? transposed : plain, Int32(rows),
        Int32(columns), Int32(contracted), 1, left.start.assumingMemoryBound(to: Double.self), Int32(left.stride),
        right.start.assumingMemoryBound(to: Double.self), Int32(right.stride), 0,
        result.assumingMemoryBound(to: Double.self), Int32(resultStride))
    } else {
      sgemm(
        rowMajor, left.isTransposed ? transposed : plain, right.isTransposed ? transposed : plain, Int32(rows),
        Int32(columns), Int32(contracted), 1, left.start.assumingMemoryBound(to: Float.self), Int32(left.stride),
        right.start.assumingMemoryBound(to: Float.self), Int32(right.stride), 0,
        result.assumingMemoryBound(to: Float.self), Int32(resultStride))
    }
  }
}
