import ArgumentParser

/// Reads a whole number of an option; what it is not becomes the reason in the error.
func wholeNumber<Number: FixedWidthInteger & Sendable>(
  from least: Number
) -> @Sendable (String) throws -> Number {
  { text in
    guard let number = Number(text) else {
      let isWhole = Double(text).map { $0 == $0.rounded() } ?? false
      throw ValidationError("it is no whole number" + (isWhole ? " from \(least) to \(Number.max)" : ""))
    }
    guard number >= least else { throw ValidationError("it must be at least \(least)") }
    return number
  }
}

/// The numbers that an option takes.
enum NumberRange {
  case all, fromZero, positive
}

/// Reads a number of an option.
func number(_ range: NumberRange = .all) -> @Sendable (String) throws -> Double {
  { text in
    guard let number = Double(text), !number.isNaN else { throw ValidationError("it is no number") }
    switch range {
    case .all: break
    case .fromZero: guard number >= 0 else { throw ValidationError("it must not be negative") }
    case .positive: guard number > 0 else { throw ValidationError("it must be positive") }
    }
    return number
  }
}
