/// A mutable scalar of one kernel.
package struct Register: Hashable, Sendable {
  package let id: Int32
  package let type: ScalarType

  package init(id: Int, type: ScalarType) {
    self.id = Int32(id)
    self.type = type
  }
}

/// An array that lives inside one kernel, small enough for the stack or registers.
package struct LocalArray: Hashable, Sendable {
  package let id: Int
  package let type: ScalarType
  package let count: Int
  /// For an array that is kept in registers: how many neighbouring elements make one vector, from 1 upwards.
  ///
  /// Such an array is touched only at positions that are constant once `unrolled` loops are, plus the variable of a
  /// `lanes` loop: elements `k * lanes ..< (k + 1) * lanes` are one variable of the C program.
  package let lanes: Int?

  package init(id: Int, type: ScalarType, count: Int, lanes: Int? = nil) {
    self.id = id
    self.type = type
    self.count = count
    self.lanes = lanes
  }
}

/// What a load or store addresses, by flat element position.
package enum Memory: Hashable, Sendable {
  case buffer(BufferID)
  case local(LocalArray)
}

/// A scalar expression of a loop program.
///
/// Indices may contain registers of type `i64` as `Index.Atom.value`, whose
/// `Scalar.id` is the register's id.
package indirect enum Expression: Hashable, Sendable {
  case constant(ScalarValue, ScalarType)
  case register(Register)
  /// A loop index as `i64`.
  case index(Index)
  case load(Memory, Index, ScalarType)
  case pointwise(Pointwise, [Expression])
  case convert(Expression, ScalarType)
  case bitcast(Expression, ScalarType)
  /// The `i64` operand where it lies in `0 ..< extent`; elsewhere the run fails, and the value is 0.
  ///
  /// The one comparison is unsigned. What a run leaves in its outputs and variables after it failed is not specified.
  case checked(Expression, Int)
  /// `then` where all constraints hold; `then` is not evaluated elsewhere, `otherwise` may be evaluated everywhere.
  case select([Constraint], then: Expression, otherwise: Expression)

  package var type: ScalarType {
    switch self {
    case .constant(_, let type), .load(_, _, let type), .convert(_, let type), .bitcast(_, let type): type
    case .register(let register): register.type
    case .index, .checked: .i64
    case .pointwise(let function, let operands): function.resultType(operands.map(\.type))
    case .select(_, let then, _): then.type
    }
  }
}

/// One end of a loop: the larger (lower end) or smaller (upper end) of a constant and of quotients rounded up.
package struct Bound: Hashable, Sendable {
  package struct Quotient: Hashable, Sendable {
    package var dividend: Index
    /// Positive; the quotient is rounded towards positive infinity.
    package var divisor: Int

    package init(dividend: Index, divisor: Int) {
      self.dividend = dividend
      self.divisor = divisor
    }
  }

  package var constant: Int
  package var quotients: [Quotient]

  package init(_ constant: Int, _ quotients: [Quotient] = []) {
    self.constant = constant
    self.quotients = quotients
  }

  /// The number, when it depends on no variable.
  package var known: Int? { quotients.isEmpty ? constant : nil }
}

/// How a loop runs.
package enum LoopKind: String, Hashable, Sendable {
  case serial
  /// Iterations are independent and accesses along the variable are mostly contiguous: made for SIMD.
  case vector
  /// Iterations are independent: may run on several threads.
  case parallel
  /// The ends are constants; the body is written once for every value. Iterations hand on nothing but what arrays in
  /// registers hold.
  case unrolled
  /// The ends are constants, from 0; iterations are independent, and the body is straight: all of them run at once,
  /// each in a lane of vector registers.
  case lanes

  /// Whether iterations may run at once.
  package var isIndependent: Bool {
    switch self {
    case .vector, .parallel, .lanes: true
    case .serial, .unrolled: false
    }
  }
}

/// `for variable in lower ..< upper`.
package struct Loop: Hashable, Sendable {
  package var variable: LoopVariable
  package var lower: Bound
  package var upper: Bound
  package var kind: LoopKind
  package var body: [Statement]

  package init(
    _ variable: LoopVariable, lower: Bound = Bound(0), upper: Bound? = nil, kind: LoopKind = .serial, body: [Statement]
  ) {
    self.variable = variable
    self.lower = lower
    self.upper = upper ?? Bound(variable.extent)
    self.kind = kind
    self.body = body
  }
}

/// Joins `value` over one loop into a register.
///
/// With one lane, every iteration joins directly: `accumulator = join(accumulator, value)`. With `lanes` above 1,
/// iteration `i` (counted from `lower`) goes to partial result `i % lanes`, partial results start at the identity and are
/// joined pairwise: lane `l` with lane `l + lanes / 2`, halving until one is left, which is then joined into the
/// accumulator. The order is part of the meaning, so that all back-ends give the same bits.
package struct Accumulation: Hashable, Sendable {
  package var variable: LoopVariable
  package var lower: Bound
  package var upper: Bound
  package var combiner: Combiner
  package var accumulator: Register
  package var lanes: Int
  /// Runs before `value` in every iteration; declares registers only.
  package var prologue: [Statement]
  package var value: Expression

  package init(
    _ variable: LoopVariable, lower: Bound, upper: Bound, combiner: Combiner, accumulator: Register, lanes: Int,
    prologue: [Statement], value: Expression
  ) {
    self.variable = variable
    self.lower = lower
    self.upper = upper
    self.combiner = combiner
    self.accumulator = accumulator
    self.lanes = lanes
    self.prologue = prologue
    self.value = value
  }
}

/// A statement of a kernel.
package indirect enum Statement: Hashable, Sendable {
  case loop(Loop)
  case accumulate(Accumulation)
  /// Introduces a register in the enclosing block.
  case declare(Register, Expression)
  case assign(Register, Expression)
  /// Introduces a local array in the enclosing block; its content is undefined.
  case allocate(LocalArray)
  case store(Memory, Index, Expression)
  case when([Constraint], [Statement])
  /// Runs the block where the `bool` expression is true.
  case whenTrue(Expression, [Statement])
  /// Runs a routine on matrices in memory; where it fails, the run does.
  case call(RoutineCall)

  /// Whether the statement introduces a register.
  var isDeclaration: Bool { if case .declare = self { true } else { false } }
}

/// A tensor of a program.
package struct Buffer: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// Given by the caller: position among the program's inputs.
    case input(Int)
    /// Given to the caller: position among the program's outputs.
    case output(Int)
    case constant(ConstantContent)
    /// Lives in the state that outlasts a run: position among the program's variables.
    case variable(Int)
    /// Lives in the arena.
    case temporary
  }

  /// A readable name, unique in the program, made of letters, digits and `_`.
  package var name: String
  package var dtype: ScalarType
  /// The sizes of the axes, outermost first; elements are dense and row-major.
  package var shape: [Int]
  package var kind: Kind
  /// So many elements at the end of each row have no meaning: they may be read before they are written.
  package var padding = 0
  /// Where the buffer's tensor comes from, for comments.
  package var location: Location

  package init(name: String, dtype: ScalarType, shape: [Int], kind: Kind, location: Location = Location()) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.kind = kind
    self.location = location
  }

  package var count: Int { shape.reduce(1, *) }
  package var byteCount: Int { count * dtype.byteCount }
}

/// One loop nest, or a few that belong together: a C function, an interpreter's unit.
package struct Kernel: Hashable, Sendable {
  /// A size that data decides, which a kernel checks.
  package struct CountedSize: Hashable, Sendable {
    package var name: String
    package var capacity: Int

    package init(name: String, capacity: Int) {
      self.name = name
      self.capacity = capacity
    }

    /// What is wrong where a run fails; the number is nil where it is not known.
    package func message(_ number: Int?) -> String {
      let size = Extent.prefix + TextName.quoted(name)
      guard let number else { return "the size \(size) is more than its capacity, \(capacity), or below 0" }
      return number < 0
        ? "the size \(size) is \(number), below 0, or sizes that it is made of do not fit together"
        : "the size \(size) is \(number), more than its capacity, \(capacity)"
    }

    /// What could be done about it; nil where no capacity would do.
    package func help(_ number: Int?) -> String? {
      if let number, number < 0 { return nil }
      return "--max \(name)=SIZE decides the capacity, up to what the model itself says"
    }
  }

  /// Unique in the program, a C identifier: the layer path and the operations.
  package var name: String
  /// What the kernel computes, for people: `conv1: convolution, add, maximum`.
  package var summary: String
  /// The program's loop variables that the kernel depends on: positions in surrounding scans.
  package var parameters: [LoopVariable]
  /// The buffers read, ascending.
  package var reads: [BufferID]
  /// The buffers written, ascending.
  package var writes: [BufferID]
  /// Multiply-accumulate operations of its contractions.
  package var macs: Int
  /// What the kernel does, in parts that may run in any order or at once: each writes elements that no other part
  /// reads or writes.
  package var parts: [[Statement]]
  /// Buffers that are read only at the very position that is being written, and so may share storage with the result.
  package var inPlace: [BufferID]
  /// The nodes of the graph that the kernel computes; of a sub-graph's kernel, none.
  package var nodes: [Int]
  package var location: Location
  /// The size that the kernel checks; nothing else may fail in such a kernel.
  package var counted: CountedSize?

  /// Whether an index is checked, so that the kernel may fail.
  package var checksIndices: Bool { counted == nil && parts.joined().contains(where: \.checksIndices) }

  /// Whether a routine is called that may fail.
  package var callsFailing: Bool { parts.joined().contains(where: \.callsFailing) }

  /// The parts one after the other.
  package var body: [Statement] { Array(parts.joined()) }

  /// Makes a kernel of one part; what it reads and writes is found in its body.
  package init(
    name: String, summary: String, parameters: [LoopVariable] = [], macs: Int = 0, body: [Statement],
    inPlace: [BufferID] = [], nodes: [Int] = [], location: Location = Location()
  ) {
    self.init(
      name: name, summary: summary, parameters: parameters, macs: macs, parts: [body], inPlace: inPlace,
      nodes: nodes, location: location)
  }

  /// Makes a kernel of parts that do not depend on each other; what it reads and writes is found in them.
  package init(
    name: String, summary: String, parameters: [LoopVariable] = [], macs: Int = 0, parts: [[Statement]],
    inPlace: [BufferID] = [], nodes: [Int] = [], location: Location = Location(), counted: CountedSize? = nil
  ) {
    self.name = name
    self.summary = summary
    self.parameters = parameters
    self.macs = macs
    self.parts = parts
    self.inPlace = inPlace
    self.nodes = nodes
    self.location = location
    self.counted = counted
    var accesses = Accesses()
    parts.joined().forEach { accesses.add($0) }
    reads = accesses.reads.sorted()
    writes = accesses.writes.sorted()
  }
}

/// What a program does, in order.
package indirect enum Step: Hashable, Sendable {
  /// Runs a kernel, by position.
  case kernel(Int)
  /// Runs the steps for every value of the variable, ascending: a scan.
  case loop(LoopVariable, [Step])
  /// Runs one of two lists of steps by a scalar `bool` buffer.
  case branch(BufferID, then: [Step], otherwise: [Step])
  /// Runs `condition`, and while the scalar `bool` buffer then holds true, `body` and `condition` again.
  case whileLoop(condition: [Step], BufferID, body: [Step])
  /// Hands a bucket out, by position: whoever runs the program may change its numbers until it is waited for.
  case ready(Int)
  /// Takes a bucket back.
  case wait(Int)

  /// The lists of steps inside.
  package var nested: [[Step]] {
    switch self {
    case .kernel, .ready, .wait: []
    case .loop(_, let body): [body]
    case .branch(_, let then, let otherwise): [then, otherwise]
    case .whileLoop(let condition, _, let body): [condition, body]
    }
  }

  /// The buffer that decides which of them run.
  package var predicate: BufferID? {
    switch self {
    case .kernel, .loop, .ready, .wait: nil
    case .branch(let predicate, _, _), .whileLoop(_, let predicate, _): predicate
    }
  }
}

/// A named port of a program.
package struct Port: Hashable, Sendable {
  /// The name of the graph's input or output.
  package var name: String
  /// The buffer that the caller gives or is given.
  package var buffer: BufferID
  /// The type of the buffer; all sizes are known.
  package var type: TensorType
  /// The sizes of which the buffer has the capacities, where data decides some; nil where the buffer's own are meant.
  package var shape: [Dim]?

  package init(name: String, buffer: BufferID, type: TensorType, shape: [Dim]? = nil) {
    self.name = name
    self.buffer = buffer
    self.type = type
    self.shape = shape
  }

  /// The size that data decides whose number the port has.
  package var extent: String? {
    name.hasPrefix(Extent.prefix) && type == .scalar(.i64) ? String(name.dropFirst(Extent.prefix.count)) : nil
  }
}

/// A lowered graph: kernels in order over buffers.
///
/// Two graphs that are equal give equal programs.
package struct Program: Hashable, Sendable {
  /// The graph's name.
  package var name: String
  /// The machine that the loops are scheduled for.
  package var target: Target
  package var buffers: [Buffer]
  package var kernels: [Kernel]
  package var steps: [Step]
  /// The inputs, in the graph's order.
  package var inputs: [Port]
  /// The outputs, in the graph's order.
  package var outputs: [Port]
  /// Variables in the order of the state's layout; each port's buffer holds the content before and after a run.
  package var variables: [Variable]
  package var variableBuffers: [BufferID]
  /// What is handed out and taken back, in the order of the arena.
  package var buckets: [ExchangeBucket] = []

  package init(
    name: String, target: Target = .generic, buffers: [Buffer] = [], kernels: [Kernel] = [], steps: [Step] = [],
    inputs: [Port] = [],
    outputs: [Port] = [], variables: [Variable] = [], variableBuffers: [BufferID] = []
  ) {
    self.name = name
    self.target = target
    self.buffers = buffers
    self.kernels = kernels
    self.steps = steps
    self.inputs = inputs
    self.outputs = outputs
    self.variables = variables
    self.variableBuffers = variableBuffers
  }

  package subscript(buffer: BufferID) -> Buffer { buffers[buffer.position] }
}

/// A program with a place for every temporary: what the back-ends consume.
package struct PlannedProgram: Sendable {
  /// The program.
  package var program: Program
  /// Byte offset in the arena of every temporary, by buffer position; nil for other kinds.
  package var offsets: [Int?]
  /// Bytes of the arena; offsets are multiples of `alignment`.
  package var arenaBytes: Int
  /// Bytes that are live at once at the worst moment: no plan can need less.
  package var lowerBound: Int
  /// Byte offset in the state of every variable, by position, and the size of the state.
  package var variableOffsets: [Int]
  /// Bytes of the state; 0 without variables.
  package var stateBytes: Int

  package init(
    program: Program, offsets: [Int?], arenaBytes: Int, lowerBound: Int, variableOffsets: [Int], stateBytes: Int
  ) {
    self.program = program
    self.offsets = offsets
    self.arenaBytes = arenaBytes
    self.lowerBound = lowerBound
    self.variableOffsets = variableOffsets
    self.stateBytes = stateBytes
  }

  /// What offsets in the arena and the state are multiples of, in bytes.
  package static let alignment = 64
}
