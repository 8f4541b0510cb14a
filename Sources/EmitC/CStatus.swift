internal import LatheCore

/// What the emitted functions return.
enum CStatus: Int32, CaseIterable {
  case okay, nullPointer, alignment, size, weights, file, index, threads, singular, state, capacity, hook

  /// What the number of a kernel that failed is multiplied by, counted from 1, and added to the status in libraries that
  /// Lathe itself loads.
  static let kernelFactor: Int32 = 256

  /// The name behind the model's own.
  var name: String {
    switch self {
    case .okay: "OK"
    case .nullPointer: "ERROR_NULL"
    case .alignment: "ERROR_ALIGNMENT"
    case .size: "ERROR_SIZE"
    case .weights: "ERROR_WEIGHTS"
    case .file: "ERROR_FILE"
    case .index: "ERROR_INDEX"
    case .threads: "ERROR_THREADS"
    case .singular: "ERROR_SINGULAR"
    case .state: "ERROR_STATE"
    case .capacity: "ERROR_CAPACITY"
    case .hook: "ERROR_HOOK"
    }
  }

  /// What it means, for the header.
  var meaning: String {
    switch self {
    case .okay: "done"
    case .nullPointer: "a pointer is missing"
    case .alignment: "arena, state or weights are not aligned to \(PlannedProgram.alignment) bytes"
    case .size: "the memory given is too small"
    case .weights: "the weights belong to another model or are damaged"
    case .file: "the file cannot be read"
    case .index:
      "an index in the data is out of range; what outputs and state hold is undefined"
    case .threads: "a thread cannot be started"
    case .singular: "a matrix has no such factorization or inverse; what outputs and state hold is undefined"
    case .state: "the saved state is another model's or is damaged"
    case .capacity:
      "a size that data decides exceeds its capacity, or is below 0; what outputs and state hold is undefined"
    case .hook: "a hook has not returned 0; what outputs and state hold is undefined"
    }
  }
}
