import TestSupport
import Testing

@testable import LatheCore

/// The simplifier never changes what an index expression means.
@Suite struct IndexTests {
  private let variables = [3, 4, 1, 5].enumerated().map { LoopVariable(id: $0, extent: $1) }

  /// Every combination of the variables' values.
  private var environments: [[Int]] {
    variables.reduce([[]]) { partial, variable in partial.flatMap { head in (0..<variable.extent).map { head + [$0] } }
    }
  }

  private func floor(_ value: Int, _ divisor: Int) -> Int { Int((Double(value) / Double(divisor)).rounded(.down)) }

  private func value(_ index: Index, _ environment: [Int]) -> Int {
    index.terms.reduce(index.constant) { sum, term in
      let factor: Int
      switch term.atom {
      case .variable(let variable): factor = environment[variable.id]
      case .floorDivide(let inner, let divisor): factor = floor(value(inner, environment), divisor)
      case .modulo(let inner, let divisor):
        let dividend = value(inner, environment)
        factor = dividend - floor(dividend, divisor) * divisor
      case .value: factor = 0
      }
      return sum + factor * term.coefficient
    }
  }

  private func random(_ depth: Int, _ generator: inout SeededGenerator) -> (index: Index, value: ([Int]) -> Int) {
    switch depth == 0 ? 0 : Int.random(in: 0...6, using: &generator) {
    case 0, 1:
      let position = Int.random(in: 0..<variables.count, using: &generator)
      return (Index(variables[position]), { $0[position] })
    case 2:
      let (a, b) = (random(depth - 1, &generator), random(depth - 1, &generator))
      return (a.index + b.index, { a.value($0) + b.value($0) })
    case 3:
      let (a, b) = (random(depth - 1, &generator), random(depth - 1, &generator))
      return (a.index - b.index, { a.value($0) - b.value($0) })
    case 4:
      let (a, factor) = (random(depth - 1, &generator), Int.random(in: -3...6, using: &generator))
      let offset = Int.random(in: -5...5, using: &generator)
      return (a.index * factor + offset, { a.value($0) * factor + offset })
    case 5:
      let (a, divisor) = (random(depth - 1, &generator), Int.random(in: 1...7, using: &generator))
      return (a.index.floorDivided(by: divisor), { floor(a.value($0), divisor) })
    default:
      let (a, divisor) = (random(depth - 1, &generator), Int.random(in: 1...7, using: &generator))
      return (a.index.modulo(divisor), { a.value($0) - floor(a.value($0), divisor) * divisor })
    }
  }

  @Test("simplified expressions have the value they were built for, within their bounds") func means() throws {
    var generator = SeededGenerator(seed: 4)
    for _ in 0..<1500 {
      let (index, expected) = random(4, &generator)
      let bounds = try #require(index.bounds)
      for environment in environments {
        let actual = value(index, environment)
        #expect(actual == expected(environment))
        #expect(bounds.contains(actual))
      }
    }
  }

  @Test("constraints that the bounds decide are decided rightly") func constraints() {
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<500 {
      let (index, expected) = random(3, &generator)
      let lower = Int.random(in: -6...6, using: &generator)
      let range = lower..<(lower + Int.random(in: 0...12, using: &generator))
      let divisor = Int.random(in: 1...5, using: &generator)
      let inRange = Constraint.inRange(index, range).known
      let multiple = Constraint.multiple(index, of: divisor).known
      for environment in environments {
        let number = expected(environment)
        if let inRange { #expect(range.contains(number) == inRange) }
        if let multiple { #expect((number % divisor == 0) == multiple) }
      }
    }
  }

  @Test("substitution is composition") func substitutes() {
    var generator = SeededGenerator(seed: 6)
    for _ in 0..<300 {
      let (outer, outerValue) = random(3, &generator)
      // Replacements stay within the range of the variable that they replace.
      let inner = variables.map { variable in
        let (index, value) = random(2, &generator)
        return (
          index: index.modulo(variable.extent),
          value: { (environment: [Int]) -> Int in
            let number = value(environment)
            return number - floor(number, variable.extent) * variable.extent
          }
        )
      }
      let replaced = outer.substituting { inner[$0.id].index }
      for environment in environments {
        #expect(value(replaced, environment) == outerValue(inner.map { $0.value(environment) }))
      }
    }
  }

  @Test(
    "a reshape maps every element to the one at the same position",
    arguments: [
      ([3, 4, 1, 5], [60]), ([3, 4, 1, 5], [12, 5]), ([3, 4, 1, 5], [4, 3, 5]), ([3, 4, 1, 5], [3, 1, 4, 5]),
      ([3, 4, 1, 5], [2, 2, 15]), ([3, 4, 1, 5], [3, 2, 10]), ([3, 4, 1, 5], [3, 20, 1, 1]), ([3, 4, 1, 5], [6, 10]),
    ])
  func reshapes(_ shape: [Int], _ target: [Int]) {
    let mapped = Reshape.map(variables.map { Index($0) }, from: shape, to: target)
    #expect(mapped.count == target.count)
    for environment in environments {
      let position = zip(environment, shape).reduce(0) { $0 * $1.1 + $1.0 }
      let values = mapped.map { value($0, environment) }
      #expect(zip(values, target).allSatisfy { $0 >= 0 && $0 < $1 })
      #expect(zip(values, target).reduce(0) { $0 * $1.1 + $1.0 } == position)
    }
  }

  @Test("reshapes that merge or rename axes leave no division") func affine() {
    let indices = variables.map { Index($0) }
    for target in [[60], [12, 5], [3, 1, 4, 5], [3, 20, 1, 1]] {
      #expect(Reshape.map(indices, from: [3, 4, 1, 5], to: target).allSatisfy { $0.isAffine })
    }
    // Merged and split again.
    let merged = Reshape.map(indices, from: [3, 4, 1, 5], to: [60])
    #expect(Reshape.map(merged, from: [60], to: [3, 4, 1, 5]) == indices)
  }
}
