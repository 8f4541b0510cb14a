internal import LatheCore

/// The loops at the outside of a kernel whose iterations threads share, as one range.
struct CParallelLoops {
  /// Numbers that are the same in every iteration.
  private(set) var declarations: [Statement]
  private(set) var loops: [Loop] = []
  /// What every iteration runs.
  private(set) var body: [Statement]
  /// What runs once, and at once with the loops: the iteration behind their last one.
  private(set) var rest: [Statement] = []

  /// The parallel loops that a part of a kernel consists of; nil where it does not.
  init?(_ statements: [Statement]) {
    declarations = Array(statements.prefix { if case .declare = $0 { true } else { false } })
    body = Array(statements.dropFirst(declarations.count))
    while body.count == 1, case .loop(let loop) = body[0], loop.kind == .parallel, let lower = loop.lower.known,
      let upper = loop.upper.known, upper > lower + 1 || upper == lower + 1 && loop.variable.extent == 1
    {
      loops.append(loop)
      body = loop.body
    }
    if count <= 1 { return nil }
  }

  /// The parallel loops that the first part of a kernel consists of, with all other parts beside them.
  init?(_ parts: [[Statement]]) {
    guard let first = parts.first else { return nil }
    self.init(first)
    rest = Array(parts.dropFirst().joined())
  }

  /// How many iterations the loops have.
  var loopCount: Int { loops.reduce(1) { $0 * Self.count($1) } }

  /// How many iterations there are, with the one of the rest.
  var count: Int { loopCount + (rest.isEmpty ? 0 : 1) }

  static func count(_ loop: Loop) -> Int { ends(loop).count }

  /// The ends of one of the loops.
  static func ends(_ loop: Loop) -> Range<Int> {
    guard let lower = loop.lower.known, let upper = loop.upper.known else {
      internalError("the ends of parallel loop \(loop.variable.id) are not known")
    }
    return lower..<upper
  }
}

extension Kernel {
  /// The kernel in pieces, one after the other, of which threads share those that begin with parallel loops.
  var pieces: [Kernel] {
    // Every part of parallel loops is shared by itself, so that each thread has its share of each; the first one takes
    // along what is too small for that.
    var pieces = parts.filter { CParallelLoops($0) != nil }.map { [$0] }
    if !pieces.isEmpty {
      pieces[0] += parts.filter { CParallelLoops($0) == nil }
    } else if parts.count == 1 {
      pieces = Self.phases(of: parts[0]).map { [$0] }
    }
    guard pieces.count > 1 else { return [self] }
    return pieces.enumerated().map { number, parts in
      Kernel(
        name: number == 0 ? name : "\(name)_part\(number + 1)",
        summary: "\(summary), part \(number + 1) of \(pieces.count)", parameters: parameters,
        macs: number == 0 ? macs : 0, parts: parts, location: location)
    }
  }

  /// Loops that follow each other, cut around those that threads can share; all as it is where there are none.
  private static func phases(of statements: [Statement]) -> [[Statement]] {
    let isLoops = statements.allSatisfy { if case .loop = $0 { true } else { false } }
    guard isLoops, statements.contains(where: { CParallelLoops([$0]) != nil }) else { return [statements] }
    var phases: [[Statement]] = []
    var isShared = true
    for statement in statements {
      let shares = CParallelLoops([statement]) != nil
      if shares || isShared { phases.append([]) }
      phases[phases.count - 1].append(statement)
      isShared = shares
    }
    return phases
  }
}

extension CKernelRenderer {
  /// The iterations of parallel loops from `begin` to `end`, counted with the last loop fastest.
  mutating func render(_ parallel: CParallelLoops, begin: String, end: String) {
    render(parallel.declarations)
    guard !parallel.rest.isEmpty else { return render(loopsOf: parallel, begin: begin, end: end) }
    let count = parallel.loopCount
    let last = names.unique("last")
    writer.line("const ptrdiff_t \(last) = \(end) < \(count) ? \(end) : \(count);")
    render(loopsOf: parallel, begin: begin, end: last)
    block("if (\(end) > \(count))", parallel.rest)
  }

  private mutating func render(loopsOf parallel: CParallelLoops, begin: String, end: String) {
    let loops = parallel.loops.filter { CParallelLoops.count($0) > 1 }
    if loops.count == 1 {
      let lower = CParallelLoops.ends(loops[0]).lowerBound
      naming(loops[0].variable) { renderer, name in
        let start = lower == 0 ? "" : "\(lower) + "
        renderer.writer.open("for (ptrdiff_t \(name) = \(start)\(begin); \(name) < \(start)\(end); \(name)++)")
        renderer.render(parallel.body)
        renderer.writer.close()
      }
    } else {
      let part = names.unique("part")
      writer.open("for (ptrdiff_t \(part) = \(begin); \(part) < \(end); \(part)++)")
      render(digits: loops[...], of: part, stride: parallel.loopCount, parallel.body)
      writer.close()
      names.release(part)
    }
  }

  /// The loops' variables as digits of a number, then the body.
  private mutating func render(digits loops: ArraySlice<Loop>, of part: String, stride: Int, _ body: [Statement]) {
    guard let loop = loops.first else { return render(body) }
    let count = CParallelLoops.count(loop)
    let inner = stride / count
    let quotient = inner == 1 ? part : "\(part) / \(inner)"
    let digit = loops.startIndex == 0 ? quotient : "\(quotient) % \(count)"
    guard CUses(body).variables.contains(loop.variable) else {
      return render(digits: loops.dropFirst(), of: part, stride: inner, body)
    }
    let lower = CParallelLoops.ends(loop).lowerBound
    naming(loop.variable) { renderer, name in
      renderer.writer.line("const ptrdiff_t \(name) = \(lower == 0 ? "" : "\(lower) + ")\(digit);")
      renderer.render(digits: loops.dropFirst(), of: part, stride: inner, body)
    }
  }
}

/// How a file shares its kernels' ranges between threads.
extension CPart {
  /// The parameter that all functions that run kernels take, by form.
  var threadsParameter: String? {
    switch options.threads {
    case .none, .openmp: nil
    case .pthreads: "struct \(name)_threads *threads"
    case .callback: "const struct \(name)_parallel *parallel"
    }
  }

  /// Its name, to hand on.
  var threadsArgument: String? {
    switch options.threads {
    case .none, .openmp: nil
    case .pthreads: "threads"
    case .callback: "parallel"
    }
  }

}

extension CBody {
  /// Whether threads share kernels of the function.
  var ownsParallelKernels: Bool { kernels.contains { $0.parts != nil } }

  /// A call of a kernel with what it takes.
  func call(_ kernel: CKernel, _ given: [String]) -> String {
    guard let parts = kernel.parts else { return "\(kernel.name)(\(given.joined(separator: ", ")));" }
    let arguments = "&(struct \(kernel.name)_arguments){\(given.joined(separator: ", "))}"
    let threads = threadsArgument.map { "\($0), " } ?? ""
    return "\(name)_share(\(threads)\(parts), \(kernel.name)_part, \(arguments));"
  }
}

extension CFileRenderer {
  // MARK: Header

  func writeThreadsDeclarations(_ writer: inout CWriter) {
    switch options.threads {
    case .none, .openmp: return
    case .callback:
      writer.comment([
        "How the caller runs work on its threads: parallel_for calls body, on any threads, with ranges that cover 0 to count",
        "exactly once, and returns when all calls have. Results are the same for any ranges.",
      ])
      writer.open("struct \(name)_parallel")
      writer.line("void *context;")
      writer.line(
        "void (*parallel_for)(void *context, ptrdiff_t count, void (*body)(void *, ptrdiff_t begin, ptrdiff_t end), void *arguments);"
      )
      writer.close("};")
      writer.line()
    case .pthreads:
      writer.lines(
        """
        /* The most threads that one pool can have, with the one that calls. */
        #ifndef \(macro)_THREADS_MAX
        #define \(macro)_THREADS_MAX 64
        #endif

        """)
      writer.comment("Threads that wait for work: memory of the caller, filled by \(name)_start_threads.")
      writer.lines(
        """
        struct \(name)_threads {
          int count; /* with the one that calls */
          int stopping;
          uint64_t ticket; /* number of the present work, and in the lower half the first iteration that nobody took */
          ptrdiff_t size, finished;
          void (*body)(void *, ptrdiff_t begin, ptrdiff_t end);
          void *arguments;
          pthread_mutex_t mutex;
          pthread_cond_t wake, done;
          struct \(name)_worker {
            struct \(name)_threads *threads;
            pthread_t thread;
          } workers[\(macro)_THREADS_MAX];
        };

        """)
      writer.comment([
        "Starts count - 1 threads, which wait until they are stopped. A pool serves one \(entries.count == 1 ? "\(name)_run" : "run") at a time; results are",
        "the same for any count.",
      ])
      writer.line("int \(name)_start_threads(struct \(name)_threads *threads, int count);")
      writer.line("void \(name)_stop_threads(struct \(name)_threads *threads);")
      writer.line()
    }
  }

  /// The lines about the parameter in the run function's comment.
  var threadsComment: [String] {
    switch options.threads {
    case .none: []
    case .openmp: ["Threads are OpenMP's; without it the code runs on one."]
    case .pthreads: ["threads: from \(name)_start_threads, or NULL to run on one thread"]
    case .callback: ["parallel: the caller's threads, or NULL to run on one"]
    }
  }

  // MARK: Source

  func writeShare(_ writer: inout CWriter) {
    guard hasParallelKernels else { return }
    let head = self.head(
      "static void \(name)_share",
      (threadsParameter.map { [$0] } ?? []) + [
        "ptrdiff_t count", "void (*body)(void *, ptrdiff_t begin, ptrdiff_t end)", "void *arguments",
      ])
    switch options.threads {
    case .none: return
    case .openmp:
      writer.comment("Runs parts of 0 to count on all threads; they are the same however many there are.")
      writer.lines(
        """
        \(head)
        {
        #ifdef _OPENMP
        #pragma omp parallel
          {
            const ptrdiff_t threads = omp_get_num_threads();
            const ptrdiff_t thread = omp_get_thread_num();
            if (count * thread / threads < count * (thread + 1) / threads) {
              body(arguments, count * thread / threads, count * (thread + 1) / threads);
            }
          }
        #else
          body(arguments, 0, count);
        #endif
        }

        """)
    case .callback:
      writer.lines(
        """
        \(head)
        {
          if (parallel) parallel->parallel_for(parallel->context, count, body, arguments);
          else body(arguments, 0, count);
        }

        """)
    case .pthreads:
      writer.lines(
        """
        /* Runs parts of 0 to count on all threads, and returns when all are done. */
        \(head)
        {
          if (!threads || threads->count <= 1 || count <= 1) {
            body(arguments, 0, count);
            return;
          }
          \(name)_give(threads, count, body, arguments);
          \(name)_work(threads);
          for (int spin = 0; spin < \(macro)_SPINS; spin++) {
            if (__atomic_load_n(&threads->finished, __ATOMIC_ACQUIRE) == count) return;
            \(macro)_PAUSE;
          }
          pthread_mutex_lock(&threads->mutex);
          while (__atomic_load_n(&threads->finished, __ATOMIC_ACQUIRE) != count) {
            pthread_cond_wait(&threads->done, &threads->mutex);
          }
          pthread_mutex_unlock(&threads->mutex);
        }

        """)
    }
  }

  /// The start and the end of a pool of threads.
  func writePool(_ writer: inout CWriter) {
    guard options.threads == .pthreads else { return }
    let text = """
      static void *\(name)_worker_main(void *context)
      {
        struct \(name)_threads *const threads = ((const struct \(name)_worker *)context)->threads;
        uint64_t seen = 0;
        for (;;) {
          for (int spin = 0; spin < \(macro)_SPINS; spin++) {
            if (__atomic_load_n(&threads->ticket, __ATOMIC_ACQUIRE) >> 32 != seen) break;
            \(macro)_PAUSE;
          }
          if (__atomic_load_n(&threads->ticket, __ATOMIC_ACQUIRE) >> 32 == seen) {
            pthread_mutex_lock(&threads->mutex);
            while (__atomic_load_n(&threads->ticket, __ATOMIC_ACQUIRE) >> 32 == seen) {
              pthread_cond_wait(&threads->wake, &threads->mutex);
            }
            pthread_mutex_unlock(&threads->mutex);
          }
          seen = __atomic_load_n(&threads->ticket, __ATOMIC_ACQUIRE) >> 32;
          if (__atomic_load_n(&threads->stopping, __ATOMIC_ACQUIRE)) return NULL;
          \(name)_work(threads);
        }
      }

      int \(name)_start_threads(struct \(name)_threads *threads, int count)
      {
        if (!threads) return \(macro)_ERROR_NULL;
        if (count < 1 || count > \(macro)_THREADS_MAX) return \(macro)_ERROR_SIZE;
        memset(threads, 0, sizeof *threads);
        threads->count = 1;
        if (pthread_mutex_init(&threads->mutex, NULL) != 0) return \(macro)_ERROR_THREADS;
        if (pthread_cond_init(&threads->wake, NULL) != 0) {
          pthread_mutex_destroy(&threads->mutex);
          return \(macro)_ERROR_THREADS;
        }
        if (pthread_cond_init(&threads->done, NULL) != 0) {
          pthread_cond_destroy(&threads->wake);
          pthread_mutex_destroy(&threads->mutex);
          return \(macro)_ERROR_THREADS;
        }
        for (; threads->count < count; threads->count++) {
          struct \(name)_worker *const worker = &threads->workers[threads->count];
          worker->threads = threads;
          if (pthread_create(&worker->thread, NULL, \(name)_worker_main, worker) != 0) {
            \(name)_stop_threads(threads);
            return \(macro)_ERROR_THREADS;
          }
        }
        return \(macro)_OK;
      }

      void \(name)_stop_threads(struct \(name)_threads *threads)
      {
        if (!threads || threads->count < 1) return;
        __atomic_store_n(&threads->stopping, 1, __ATOMIC_RELEASE);
        \(name)_give(threads, 0, NULL, NULL);
        for (int i = 1; i < threads->count; i++) pthread_join(threads->workers[i].thread, NULL);
        pthread_cond_destroy(&threads->done);
        pthread_cond_destroy(&threads->wake);
        pthread_mutex_destroy(&threads->mutex);
        threads->count = 0;
      }

      """
    writer.lines(text)
    guard options.uniformEntry else { return }
    writer.line("size_t \(name)_threads_bytes(void) { return sizeof(struct \(name)_threads); }")
    writer.line()
  }

  /// What the functions of a pool need before them.
  func writePoolDefinitions(_ writer: inout CWriter) {
    guard options.threads == .pthreads else { return }
    writer.lines(
      """
      /* How often a thread looks for work, or for the end of it, before it sleeps: some ten microseconds. */
      #define \(macro)_SPINS 1000
      #if defined(__x86_64__) || defined(__i386__)
      #define \(macro)_PAUSE __builtin_ia32_pause()
      #elif defined(__aarch64__)
      #define \(macro)_PAUSE __asm__ volatile("yield")
      #else
      #define \(macro)_PAUSE (void)0
      #endif

      /* Lets all threads begin to work on 0 to size. First the ticket is closed, so that no thread takes one by the new
       * size for what was there before. */
      static void \(name)_give(
          struct \(name)_threads *threads, ptrdiff_t size, void (*body)(void *, ptrdiff_t begin, ptrdiff_t end), void *arguments)
      {
        const uint64_t last = __atomic_load_n(&threads->ticket, __ATOMIC_ACQUIRE) >> 32;
        __atomic_store_n(&threads->ticket, last << 32 | 0xffffffffu, __ATOMIC_RELEASE);
        __atomic_store_n(&threads->size, size, __ATOMIC_RELEASE);
        __atomic_store_n(&threads->body, body, __ATOMIC_RELEASE);
        __atomic_store_n(&threads->arguments, arguments, __ATOMIC_RELEASE);
        __atomic_store_n(&threads->finished, 0, __ATOMIC_RELEASE);
        pthread_mutex_lock(&threads->mutex);
        __atomic_store_n(&threads->ticket, (last + 1) << 32, __ATOMIC_RELEASE);
        pthread_cond_broadcast(&threads->wake);
        pthread_mutex_unlock(&threads->mutex);
      }

      /* Takes parts of the present work until none is left: first a share as large as the other threads', which is mostly
       * where the thread worked before and so in its cache, then ever smaller ones. A ticket that is taken was not given
       * anew meanwhile, so that what was read about the work belongs to it. */
      static void \(name)_work(struct \(name)_threads *threads)
      {
        uint64_t ticket = __atomic_load_n(&threads->ticket, __ATOMIC_ACQUIRE);
        for (;;) {
          const ptrdiff_t size = __atomic_load_n(&threads->size, __ATOMIC_ACQUIRE);
          void (*const body)(void *, ptrdiff_t, ptrdiff_t) = __atomic_load_n(&threads->body, __ATOMIC_ACQUIRE);
          void *const arguments = __atomic_load_n(&threads->arguments, __ATOMIC_ACQUIRE);
          const ptrdiff_t begin = (ptrdiff_t)(ticket & 0xffffffffu);
          if (begin >= size) return;
          const ptrdiff_t share = (size - begin) / threads->count;
          const ptrdiff_t part = share > 1 ? share : 1;
          if (!__atomic_compare_exchange_n(
                  &threads->ticket, &ticket, ticket + (uint64_t)part, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            continue;
          }
          body(arguments, begin, begin + part);
          if (__atomic_add_fetch(&threads->finished, part, __ATOMIC_ACQ_REL) == size) {
            pthread_mutex_lock(&threads->mutex);
            pthread_cond_signal(&threads->done);
            pthread_mutex_unlock(&threads->mutex);
          }
          ticket = __atomic_load_n(&threads->ticket, __ATOMIC_ACQUIRE);
        }
      }

      """)
  }
}
