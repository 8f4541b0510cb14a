/// Sorting is merging: runs of one element, then of two, of four, … until one run is the whole axis.
extension NestEmitter {
  /// The order of an axis, from two memories that the runs go to and fro between; the first one holds the result.
  ///
  /// - Parameters:
  ///   - outer: The axes around, which may run at once.
  ///   - place: An element of the axis, as all else here is in terms of.
  ///   - key: What is sorted by.
  ///   - positions: Where the element of the axis lies in either memory.
  mutating func emitSort(
    outer: [LoopVariable], along place: LoopVariable, key: (memory: Memory, position: Index, type: ScalarType),
    descending: Bool, memories: [Memory], positions: [Index], parallelCount: Int
  ) -> [Statement] {
    let count = place.extent
    loops(outer[...], innermost: false, parallelCount: parallelCount) { emitter, _ in
      emitter.loops([place][...], innermost: true) { emitter, _ in
        emitter.append(.store(memories[0], positions[0], .index(Index(place))))
      }
      let width = emitter.register(.i64)
      emitter.append(.declare(width, .constant(.integer(1), .i64)))
      func merge(_ emitter: inout NestEmitter, from: Int, to: Int) {
        emitter.merge(
          along: place, key: key, descending: descending, from: (memories[from], positions[from]),
          to: (memories[to], positions[to]), width: width)
        emitter.append(
          .assign(width, .pointwise(.multiply, [.register(width), .constant(.integer(2), .i64)])))
      }
      // To the other memory and back, so that the result is where it belongs; beyond the whole axis, runs are copied.
      var passes = 0
      while 1 << passes < count { passes += 1 }
      let rounds = emitter.scalars.variable((passes + 1) / 2)
      let statements = emitter.block(binding: [rounds]) { emitter in
        merge(&emitter, from: 0, to: 1)
        merge(&emitter, from: 1, to: 0)
      }
      emitter.append(.loop(Loop(rounds, body: statements)))
    }
    return scopes[0].statements
  }

  /// Merges neighbouring runs of a width into runs of twice the width.
  private mutating func merge(
    along place: LoopVariable, key: (memory: Memory, position: Index, type: ScalarType), descending: Bool,
    from source: (memory: Memory, position: Index), to target: (memory: Memory, position: Index), width: Register
  ) {
    let count = place.extent
    func number(_ value: Int) -> Expression { .constant(.integer(value), .i64) }
    func at(_ position: Index, _ register: Register) -> Index {
      position.substituting { $0 == place ? Index(Scalar(id: register.id)) : Index($0) }
    }
    /// A place that may be one too far, or come from memory, as one that can be read.
    func inside(_ place: Expression) -> Expression {
      .pointwise(.maximum, [.pointwise(.minimum, [place, number(count - 1)]), number(0)])
    }
    // The next elements of the two runs, the end of the first one, and that of both.
    let (left, right, middle, end) = (register(.i64), register(.i64), register(.i64), register(.i64))
    for state in [left, right, middle, end] { append(.declare(state, number(0))) }
    func reached(_ from: Expression) -> Expression {
      .pointwise(.minimum, [.pointwise(.add, [from, .register(width)]), number(count)])
    }
    let body = block(binding: [place]) { emitter in
      let starts = Expression.pointwise(.equal, [.index(Index(place)), .register(end)])
      emitter.append(
        .whenTrue(
          starts,
          [
            .assign(left, .index(Index(place))), .assign(middle, reached(.index(Index(place)))),
            .assign(right, .register(middle)), .assign(end, reached(.register(middle))),
          ]))
      func candidate(_ emitter: inout NestEmitter, _ state: Register) -> (place: Register, key: Register) {
        let position = emitter.register(.i64)
        emitter.append(.declare(position, inside(.register(state))))
        let place = emitter.register(.i64)
        emitter.append(.declare(place, inside(.load(source.memory, at(source.position, position), .i64))))
        let value = emitter.register(key.type.computeType)
        let load = Expression.load(key.memory, at(key.position, place), key.type)
        emitter.append(.declare(value, key.type == value.type ? load : .convert(load, value.type)))
        return (place, value)
      }
      let first = candidate(&emitter, left)
      let second = candidate(&emitter, right)
      let takesRight = emitter.register(.bool)
      let isLeftOver = Expression.pointwise(.greaterEqual, [.register(left), .register(middle)])
      let precedes = Self.precedes(.register(second.key), .register(first.key), descending: descending)
      emitter.append(
        .declare(
          takesRight,
          .pointwise(
            .and,
            [
              .pointwise(.less, [.register(right), .register(end)]),
              .pointwise(.or, [isLeftOver, precedes]),
            ])))
      emitter.append(
        .store(
          target.memory, target.position,
          .pointwise(.select, [.register(takesRight), .register(second.place), .register(first.place)])))
      let step = emitter.register(.i64)
      emitter.append(.declare(step, .convert(.register(takesRight), .i64)))
      emitter.append(.assign(right, .pointwise(.add, [.register(right), .register(step)])))
      emitter.append(
        .assign(
          left,
          .pointwise(.add, [.register(left), .pointwise(.subtract, [number(1), .register(step)])])))
    }
    append(.loop(Loop(place, body: body)))
  }

  /// Whether an element belongs strictly before another, NaN counting as greatest: ``ArgSort/precedes(_:_:_:descending:)``.
  private static func precedes(_ a: Expression, _ b: Expression, descending: Bool) -> Expression {
    let (low, high) = descending ? (b, a) : (a, b)
    let isLess = Expression.pointwise(.less, [low, high])
    guard a.type.isFloat else { return isLess }
    let isOnlyHigh = Expression.pointwise(
      .and, [.pointwise(.isNaN, [high]), .pointwise(.not, [.pointwise(.isNaN, [low])])])
    return .pointwise(.or, [isLess, isOnlyHigh])
  }
}
