/// What C to write for a program.
public struct COptions: Hashable, Sendable {
  /// The language standard that the text is written in.
  public enum Standard: String, Hashable, Sendable, CaseIterable {
    /// ISO C of that year.
    case c11, c99
  }

  /// Who owns the memory of temporaries.
  public enum Arena: String, Hashable, Sendable, CaseIterable {
    /// Every call is given an arena, so that calls with different arenas may run at once.
    case caller
    /// One static arena in the C file: one call at a time.
    case `static`
  }

  /// Where the constants and the initial contents of variables are kept.
  public enum Weights: String, Hashable, Sendable, CaseIterable {
    /// `inline` up to `COptions.inlineLimit`, else `file`.
    case auto
    /// In the C file.
    case inline
    /// In one file, which the caller maps or the C code loads with `<stdio.h>` into memory that the caller gives.
    case file
    /// In one file, which the caller maps; the C code uses no input or output.
    case external
  }

  /// Who computes mathematical functions on `float`.
  public enum Math: String, Hashable, Sendable, CaseIterable {
    /// The file itself where Lathe has a definition, at most 2 ulp off, which compilers turn into vector code.
    case own
    /// The C library.
    case libm
  }

  /// How kernels with parallel loops run on several threads.
  ///
  /// The number of threads is known at run time only; it does not change results.
  public enum Threads: String, Hashable, Sendable, CaseIterable {
    /// On the thread that calls.
    case none
    /// On OpenMP's threads, where the C compiler is told so.
    case openmp
    /// On a pool of POSIX threads that the caller starts and stops.
    case pthreads
    /// By a function of the caller.
    case callback
  }

  /// What every name starts with; nil takes the program's name.
  public var name: String?
  /// The header's file name, for `#include`; nil makes it from `name`.
  public var headerName: String?
  /// The language standard.
  public var standard: Standard
  /// Who owns the memory of temporaries.
  public var arena: Arena
  /// Where constants are kept.
  public var weights: Weights
  /// The most bytes that `Weights.auto` puts into the C file.
  public var inlineLimit: Int
  /// Who computes mathematical functions on `float`.
  public var math: Math
  /// How kernels run on several threads.
  public var threads: Threads
  /// Whether the file has a `main` that reads inputs from `.npy` files and writes outputs to such.
  public var main: Bool
  /// Whether the file has `NAME_call`, which takes inputs and outputs as arrays of pointers: one signature for all
  /// models with the same form of threads.
  public var uniformEntry: Bool
  /// Whether `NAME_profile` counts the nanoseconds and the calls of every kernel: to find out where time goes, on POSIX.
  public var measuresKernels: Bool

  /// The defaults suit a reentrant library with its weights inside, as long as they are small.
  public init(
    name: String? = nil, headerName: String? = nil, standard: Standard = .c11, arena: Arena = .caller,
    weights: Weights = .auto, inlineLimit: Int = 1 << 20, math: Math = .own, threads: Threads = .none,
    main: Bool = false, uniformEntry: Bool = false, measuresKernels: Bool = false
  ) {
    self.name = name
    self.headerName = headerName
    self.standard = standard
    self.arena = arena
    self.weights = weights
    self.inlineLimit = inlineLimit
    self.math = math
    self.threads = threads
    self.main = main
    self.uniformEntry = uniformEntry
    self.measuresKernels = measuresKernels
  }
}

/// A program as C.
public struct CFiles: Hashable, Sendable {
  /// What every name in the files starts with.
  public var name: String
  /// The text of the `.c` file.
  public var source: String
  /// The text of the `.h` file.
  public var header: String
  /// The file name by which the source includes the header.
  public var headerName: String
  /// The weights file, when weights are not in the source.
  public var weights: CWeightsFile?
  /// The functions that take their tensors in arrays (`COptions.uniformEntry`), in the model's order.
  public var entries: [String]
  /// What the code takes of a machine.
  public var facts: CFacts

  /// Files by their texts.
  public init(
    name: String, source: String, header: String, headerName: String, weights: CWeightsFile?, entries: [String] = [],
    facts: CFacts = CFacts()
  ) {
    self.facts = facts
    self.entries = entries
    self.name = name
    self.source = source
    self.header = header
    self.headerName = headerName
    self.weights = weights
  }
}

/// What emitted code takes of a machine, whichever function and variant runs.
public struct CFacts: Hashable, Sendable {
  /// A function with the multiply-adds of a run.
  public struct Work: Hashable, Sendable {
    /// The function's name.
    public var function: String
    /// Multiply-adds of a run; a loop without a known number of rounds counts one.
    public var count: Int
  }

  /// Bytes of working memory.
  public var arenaBytes = 0
  /// Bytes of the variables.
  public var stateBytes = 0
  /// Bytes of the constants.
  public var weightBytes = 0
  /// Whether those are in the source.
  public var areWeightsInline = true
  /// Bytes of the stack at most, without what callbacks and interrupts take.
  public var stackBytes = 0
  /// The work of each function, in the model's order.
  public var multiplyAdds: [Work] = []

  /// Nothing is known.
  public init() {}
}
