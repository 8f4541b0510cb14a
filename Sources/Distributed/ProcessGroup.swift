internal import COpenMPI
public import LatheCore

/// How the numbers of processes become one.
public enum ReduceOperation: Sendable {
  case sum, product, min, max

  var code: Int32 {
    switch self {
    case .sum: Int32(LATHE_MPI_SUM)
    case .product: Int32(LATHE_MPI_PRODUCT)
    case .min: Int32(LATHE_MPI_MINIMUM)
    case .max: Int32(LATHE_MPI_MAXIMUM)
    }
  }
}

/// The processes that run a program together, as `mpirun -n 2 PROGRAM` starts them: `torch.distributed`.
///
/// Every process calls the same functions in the same order, with arrays of one type; one thread of each does. A process
/// that fails alone leaves the others waiting, so that a program should end with ``abort(_:)`` when it catches an error.
public struct ProcessGroup: Sendable {
  /// This process's number from 0 on: `get_rank`.
  public let rank: Int
  /// How many processes there are: `get_world_size`.
  public let size: Int

  /// Joins the processes: `init_process_group("mpi")`; without `mpirun` there is one.
  ///
  /// - Throws: That MPI cannot be started.
  public init() throws(DiagnosticsError) {
    var (rank, size): (Int32, Int32) = (0, 1)
    try Self.check(lathe_mpi_start(), "start")
    try Self.check(lathe_mpi_rank(&rank), "rank")
    try Self.check(lathe_mpi_size(&size), "size")
    self.rank = Int(rank)
    self.size = Int(size)
  }

  /// Leaves the processes; nothing may be called afterwards: `destroy_process_group`.
  public func finalize() throws(DiagnosticsError) { try Self.check(lathe_mpi_stop(), "finalize") }

  /// Ends all processes at once with an exit code.
  public func abort(_ code: Int = 1) { lathe_mpi_abort(Int32(clamping: code)) }

  /// Waits until all processes have come here.
  public func barrier() throws(DiagnosticsError) { try Self.check(lathe_mpi_barrier(), "barrier") }

  /// The numbers of all processes joined, element by element, in all of them.
  ///
  /// - Throws: For types that MPI does not compute with.
  public func allReduce(
    _ array: NDArray, _ operation: ReduceOperation = .sum
  ) throws(DiagnosticsError) -> NDArray {
    let type = try Self.type(array.dtype)
    var result = array
    try result.withMemory { (memory) throws(DiagnosticsError) in
      try Self.check(
        lathe_mpi_all_reduce(memory.baseAddress, try Self.count(array.count), type, operation.code), "allReduce")
    }
    return result
  }

  /// The numbers of one process, in all of them.
  public func broadcast(_ array: NDArray, from root: Int = 0) throws(DiagnosticsError) -> NDArray {
    try requireRank(root)
    var result = array
    try result.withMemory { (memory) throws(DiagnosticsError) in
      try Self.check(lathe_mpi_broadcast(memory.baseAddress, try Self.count(memory.count), Int32(root)), "broadcast")
    }
    return result
  }

  /// Bytes of one process, in all of them, which need not know how many there are.
  public func broadcast(_ bytes: [UInt8], from root: Int = 0) throws(DiagnosticsError) -> [UInt8] {
    let count = try broadcast(NDArray(scalar: .integer(bytes.count), dtype: .i64), from: root).integers[0]
    let own = rank == root ? bytes : [UInt8](repeating: 0, count: count)
    return try broadcast(NDArray(own), from: root).elements() ?? []
  }

  /// The arrays of all processes, in their order, in all of them.
  public func allGather(_ array: NDArray) throws(DiagnosticsError) -> [NDArray] {
    var all = try NDArray.zeros(array.dtype, [size] + array.shape)
    let bytes = try Self.count(array.byteCount)
    try all.withMemory { (memory) throws(DiagnosticsError) in
      try Self.check(
        array.withUnsafeBytes { lathe_mpi_all_gather($0.baseAddress, bytes, memory.baseAddress) }, "allGather")
    }
    return try all.parts
  }

  /// The arrays of all processes, in their order, in one of them; nothing in the others.
  public func gather(_ array: NDArray, to root: Int = 0) throws(DiagnosticsError) -> [NDArray] {
    try requireRank(root)
    var all = try NDArray.zeros(array.dtype, [rank == root ? size : 0] + array.shape)
    let bytes = try Self.count(array.byteCount)
    try all.withMemory { (memory) throws(DiagnosticsError) in
      try Self.check(
        array.withUnsafeBytes { lathe_mpi_gather($0.baseAddress, bytes, memory.baseAddress, Int32(root)) }, "gather")
    }
    return try all.parts
  }

  /// The part of one process's array, along its first axis, that is this process's.
  ///
  /// - Parameter array: In every process of one type; only the root's numbers count.
  /// - Throws: That the first axis is not as many equal parts as there are processes.
  public func scatter(_ array: NDArray, from root: Int = 0) throws(DiagnosticsError) -> NDArray {
    try requireRank(root)
    var part = try NDArray.zeros(array.dtype, shareShape(array, "scatter"))
    let bytes = try Self.count(part.byteCount)
    try part.withMemory { (memory) throws(DiagnosticsError) in
      try Self.check(
        array.withUnsafeBytes { lathe_mpi_scatter($0.baseAddress, bytes, memory.baseAddress, Int32(root)) }, "scatter")
    }
    return part
  }

  /// The part, along the first axis, that is this process's, of the numbers of all processes joined.
  ///
  /// - Throws: That the first axis is not as many equal parts as there are processes, and types that MPI does not
  ///   compute with.
  public func reduceScatter(
    _ array: NDArray, _ operation: ReduceOperation = .sum
  ) throws(DiagnosticsError) -> NDArray {
    let type = try Self.type(array.dtype)
    var part = try NDArray.zeros(array.dtype, shareShape(array, "reduceScatter"))
    let count = try Self.count(part.count)
    try part.withMemory { (memory) throws(DiagnosticsError) in
      try Self.check(
        array.withUnsafeBytes {
          lathe_mpi_reduce_scatter($0.baseAddress, memory.baseAddress, count, type, operation.code)
        }, "reduceScatter")
    }
    return part
  }

  /// Sends an array to another process, which receives it: `send`.
  public func send(_ array: NDArray, to rank: Int, tag: Int = 0) throws(DiagnosticsError) {
    try requireRank(rank)
    let bytes = try Self.count(array.byteCount)
    try Self.check(
      array.withUnsafeBytes { lathe_mpi_send($0.baseAddress, bytes, Int32(rank), Int32(clamping: tag)) }, "send")
  }

  /// Receives an array of a known type from another process: `recv`.
  public func receive(
    _ dtype: ScalarType, _ shape: [Int], from rank: Int, tag: Int = 0
  ) throws(DiagnosticsError) -> NDArray {
    try requireRank(rank)
    var array = try NDArray.zeros(dtype, shape)
    try array.withMemory { (memory) throws(DiagnosticsError) in
      try Self.check(
        lathe_mpi_receive(memory.baseAddress, try Self.count(memory.count), Int32(rank), Int32(clamping: tag)),
        "receive")
    }
    return array
  }

  private func shareShape(_ array: NDArray, _ function: String) throws(DiagnosticsError) -> [Int] {
    guard let first = array.shape.first, first % size == 0 else {
      throw DiagnosticsError("\(function): the first axis of \(array.type) is not \(size) equal parts")
    }
    return [first / size] + array.shape.dropFirst()
  }

  private func requireRank(_ rank: Int) throws(DiagnosticsError) {
    guard (0..<size).contains(rank) else {
      throw DiagnosticsError("there is no process \(rank)", help: "they are 0 ..< \(size)")
    }
  }

  static func count(_ count: Int) throws(DiagnosticsError) -> Int32 {
    guard let count = Int32(exactly: count) else { throw DiagnosticsError("MPI counts to 2^31, not to \(count)") }
    return count
  }

  static func type(_ dtype: ScalarType) throws(DiagnosticsError) -> Int32 {
    switch dtype {
    case .f32: Int32(LATHE_MPI_FLOAT)
    case .f64: Int32(LATHE_MPI_DOUBLE)
    case .i64: Int32(LATHE_MPI_INT64)
    case .i32: Int32(LATHE_MPI_INT32)
    default: throw DiagnosticsError("MPI does not compute with \(dtype)", help: "convert to f32, f64, i32 or i64")
    }
  }

  static func check(_ code: Int32, _ function: String) throws(DiagnosticsError) {
    guard code == 0 else { throw DiagnosticsError("MPI: \(function) failed with error \(code)") }
  }
}

extension NDArray {
  fileprivate var byteCount: Int { count * dtype.byteCount }

  /// The elements along the first axis.
  fileprivate var parts: [NDArray] {
    get throws(DiagnosticsError) {
      let inner = Array(shape.dropFirst())
      let size = inner.reduce(dtype.byteCount, *)
      let all = withUnsafeBytes { [UInt8]($0) }
      var result: [NDArray] = []
      for part in 0..<shape[0] {
        result.append(try NDArray(dtype: dtype, shape: inner, bytes: Array(all[part * size..<(part + 1) * size])))
      }
      return result
    }
  }

  /// Lends the bytes to a body that throws diagnostics.
  fileprivate mutating func withMemory(
    _ body: (UnsafeMutableRawBufferPointer) throws(DiagnosticsError) -> Void
  ) throws(DiagnosticsError) {
    var fault: DiagnosticsError?
    withUnsafeMutableBytes { memory in
      do throws(DiagnosticsError) { try body(memory) } catch { fault = error }
    }
    if let fault { throw fault }
  }
}
