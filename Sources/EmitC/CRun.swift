internal import LatheCore

extension CFileRenderer {
  /// The functions, where there is one variant.
  func writeFunctions(_ writer: inout CWriter) {
    for (entry, body) in zip(entries, rest.bodies) {
      if entry.position > 0 { writer.line() }
      writer.function(head("int \(entry.function)", entry.parameters(forHeader: false))) { writer in
        if let threads = threadsArgument, !body.ownsParallelKernels { writer.line("(void)\(threads);") }
        entry.writeChecks(&writer)
        body.writeBody(&writer)
      }
    }
  }
}

/// What a function does.
extension CBody {
  /// `(float *)(void *)(base + offset)`.
  private func pointer(_ dtype: ScalarType, _ base: String, _ offset: Int, const: Bool = false) -> String {
    let const = const ? "const " : ""
    return "(\(const)\(dtype.cStorage) *)(\(const)void *)(\(base) + \(offset))"
  }

  /// `NAME_memory.f32 + 16`, where the arena is static.
  private func element(_ dtype: ScalarType, _ offset: Int) -> String {
    let size = dtype.byteCount
    let start = options.standard == .c11 ? "" : size == 1 ? " + start" : " + start / \(size)"
    return "\(name)_memory.\(dtype.storage.memberName)" + start + (offset == 0 ? "" : " + \(offset / size)")
  }

  /// The places of all tensors, the steps, and what they return.
  func writeBody(_ writer: inout CWriter) {
    writePlaces(&writer)
    for (_, source) in extents {
      if case .output = program.program[source].kind { writer.line("int64_t \(place(source))[1];") }
    }
    if kernels.contains(where: { $0.failure != nil }) { writer.line("int failure = 0;") }
    writeSteps(program.program.steps, [:], 0, &writer)
    for (argument, source) in extents { writer.line("*\(argument.name) = (size_t)*\(place(source));") }
    for copy in copies {
      let argument = arguments[program.program.inputs.count + copy.output]
      if argument.extent != nil { continue }
      let bytes = program.program[copy.source].byteCount
      if bytes > 0 { writer.line("memcpy(\(argument.name), \(place(copy.source)), \(bytes));") }
    }
    writer.line("return \(okay);")
  }

  /// A pointer for every buffer that is not a parameter.
  private func writePlaces(_ writer: inout CWriter) {
    let used = usedBuffers
    let temporaries = used.filter { program.program[$0].kind == .temporary }
    if !temporaries.isEmpty {
      if takesArena {
        writer.line("unsigned char *const memory = arena;")
      } else if options.standard == .c99 {
        let alignment = PlannedProgram.alignment
        writer.line("const size_t start = (\(alignment) - (uintptr_t)&\(name)_memory % \(alignment)) % \(alignment);")
      }
    }
    let pointers = file.inlinePointers
    for id in used {
      let buffer = program.program[id]
      let place = place(id)
      let type = buffer.dtype.cStorage
      let comment = " /* \(buffer.typeText) */"
      switch buffer.kind {
      case .temporary:
        guard let offset = program.offsets[id.position] else { internalError("\(buffer.name) is not planned") }
        let start = takesArena ? pointer(buffer.dtype, "memory", offset) : element(buffer.dtype, offset)
        writer.line("\(type) *const \(place) = \(start);\(comment)")
      case .variable(let position):
        let (offset, isConst) = (program.variableOffsets[position], !program.program.updatesVariables)
        let const = isConst ? "const " : ""
        let start = pointer(buffer.dtype, "(\(const)unsigned char *)state", offset, const: isConst)
        writer.line("\(const)\(type) *const \(place) = \(start);\(comment)")
      case .constant:
        guard let entry = constants[id] else { internalError("\(buffer.name) is not among the weights") }
        if areWeightsInline {
          if pointers[entry] != place { writer.line("const \(type) *const \(place) = \(pointers[entry]);\(comment)") }
        } else {
          let offset = CWeights.headerBytes + weights.entries[entry].offset
          let base = "(const unsigned char *)weights"
          writer.line("const \(type) *const \(place) = \(pointer(buffer.dtype, base, offset, const: true));\(comment)")
        }
      case .input, .output: break
      }
    }
  }

  /// Where a buffer is found.
  private func place(_ buffer: BufferID) -> String {
    guard let place = places[buffer] else {
      internalError("\(program.program[buffer].name) has no place in the C code")
    }
    return place
  }

  private func variable(_ variable: LoopVariable, _ known: [LoopVariable: String]) -> String {
    guard let name = known[variable] else {
      internalError("loop variable \(variable.id) is not in scope in the C code")
    }
    return name
  }

  private func writeHook(_ function: String, _ arguments: String, _ writer: inout CWriter) {
    writer.line(
      "if (hooks && hooks->\(function)(hooks->context, \(arguments)) != 0) return \(macro)_\(CStatus.hook.name);")
  }

  private func writeSteps(_ steps: [Step], _ variables: [LoopVariable: String], _ depth: Int, _ writer: inout CWriter) {
    for step in steps {
      switch step {
      case .kernel(let position):
        guard let known = kernelPositions[position] else { internalError("kernel \(position) is not written") }
        let calls = kernels[known].map { kernel in
          let given = kernel.buffers.map { place($0) } + kernel.parameters.map { variable($0, variables) }
          return call(kernel, kernel.failure != nil ? given + ["&failure"] : given)
        }
        writeCalls(calls, ofKernelAt: position, &writer)
        if let failure = kernels[known].lazy.compactMap(\.failure).first {
          // Whoever loads the library is told which kernel it is.
          let which = options.uniformEntry ? " + \(CStatus.kernelFactor * (Int32(position) + 1))" : ""
          let ending = "return \(macro)_\(failure.name)\(which);"
          if failure == .capacity, options.uniformEntry, let size = program.program.kernels[position].writes.first {
            writer.block("if (failure)") {
              $0.line("\(name)_exceeding_size = *\(place(size));")
              $0.line(ending)
            }
          } else {
            writer.line("if (failure) \(ending)")
          }
        }
      case .loop(let variable, let body):
        let name = stepNames[depth]
        var inner = variables
        inner[variable] = name
        writer.block("for (ptrdiff_t \(name) = 0; \(name) < \(variable.extent); \(name)++)") {
          writeSteps(body, inner, depth + 1, &$0)
        }
      case .branch(let test, let then, let otherwise):
        writer.open("if (*\(place(test)))")
        writeSteps(then, variables, depth, &writer)
        if !otherwise.isEmpty {
          writer.close("} else {")
          writer.reopen()
          writeSteps(otherwise, variables, depth, &writer)
        }
        writer.close()
      case .whileLoop(let condition, let test, let body):
        writer.block("for (;;)") { writer in
          writeSteps(condition, variables, depth, &writer)
          writer.line("if (!*\(place(test))) break;")
          writeSteps(body, variables, depth, &writer)
        }
      case .ready(let number):
        let bucket = program.program.buckets[number]
        guard let first = bucket.members.first else { continue }
        let given = "\(number), \(place(first.buffer)), \(program.program.count(bucket))"
        writeHook("ready", given, &writer)
      case .wait(let number): writeHook("wait", "\(number)", &writer)
      }
    }
  }
}
