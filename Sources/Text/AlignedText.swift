/// A text that is changed step by step, with the place in the original that each of its scalars comes from.
struct AlignedText: Sendable {
  private(set) var scalars: [Unicode.Scalar]
  /// In scalars of the original; one for each scalar.
  private(set) var origins: [Range<Int>]
  /// Where in the original the part begins that this was cut out of.
  private(set) var start = 0

  init(_ text: String) {
    scalars = Array(text.unicodeScalars)
    origins = scalars.indices.map { $0..<$0 + 1 }
  }

  var isEmpty: Bool { scalars.isEmpty }
  var text: String { String(scalars) }

  func part(_ range: Range<Int>) -> AlignedText {
    var part = self
    part.scalars = Array(scalars[range])
    part.origins = Array(origins[range])
    part.start = part.origins.first?.lowerBound ?? start
    return part
  }

  /// Leaves a part of the text.
  mutating func keep(_ range: Range<Int>) {
    guard range != scalars.indices else { return }
    (scalars, origins) = (Array(scalars[range]), Array(origins[range]))
  }

  /// Where in the original a part comes from.
  func origin(of range: Range<Int>) -> Range<Int> {
    guard !range.isEmpty else { return range }
    // Reordered marks may come from before what they follow.
    let (low, high) = (origins[range.lowerBound].lowerBound, origins[range.upperBound - 1].upperBound)
    return low..<max(low, high)
  }

  /// A scalar of a changed text: what it replaces, as the crate `tokenizers` counts.
  struct Change {
    var scalar: Unicode.Scalar
    /// 0 for a scalar in the place of one; 1 for one that is put in; -n for one in the place of n + 1.
    var difference: Int
  }

  mutating func apply(_ changes: [Change]) {
    var place = 0
    let old = origins
    origins = changes.map { change in
      if change.difference > 0 { return place > 0 ? old[min(place, old.count) - 1] : 0..<0 }
      defer { place += 1 - change.difference }
      return old[min(place, old.count - 1)]
    }
    scalars = changes.map(\.scalar)
  }

  mutating func filter(_ isKept: (Unicode.Scalar) -> Bool) {
    guard !scalars.allSatisfy(isKept) else { return }
    let kept = scalars.indices.filter { isKept(scalars[$0]) }
    origins = kept.map { origins[$0] }
    scalars = kept.map { scalars[$0] }
  }

  /// Puts several scalars, or one, in the place of each.
  mutating func expand(_ body: (Unicode.Scalar) -> [Unicode.Scalar]) {
    var new: (scalars: [Unicode.Scalar], origins: [Range<Int>]) = ([], [])
    new.scalars.reserveCapacity(scalars.count)
    new.origins.reserveCapacity(scalars.count)
    for (scalar, origin) in zip(scalars, origins) {
      let replacement = body(scalar)
      new.scalars += replacement
      for _ in replacement { new.origins.append(origin) }
    }
    (scalars, origins) = new
  }

  mutating func map(_ body: (Unicode.Scalar) -> Unicode.Scalar) {
    for position in scalars.indices { scalars[position] = body(scalars[position]) }
  }

  /// Puts scalars before a text that is not empty; they come from where its first one does.
  mutating func prepend(_ prefix: [Unicode.Scalar]) {
    guard let origin = origins.first else { return }
    scalars = prefix + scalars
    origins = prefix.map { _ in origin } + origins
  }

  /// Puts scalars in the place of parts; they come from where the last scalar of the part does.
  mutating func replace(_ ranges: [Range<Int>], with replacement: [Unicode.Scalar]) {
    guard !ranges.isEmpty else { return }
    var new: (scalars: [Unicode.Scalar], origins: [Range<Int>]) = ([], [])
    var end = 0
    for range in ranges {
      new.scalars += scalars[end..<range.lowerBound] + replacement
      let origin = range.upperBound > 0 ? origins[range.upperBound - 1] : 0..<0
      new.origins += origins[end..<range.lowerBound] + replacement.map { _ in origin }
      end = range.upperBound
    }
    (scalars, origins) = (new.scalars + scalars[end...], new.origins + origins[end...])
  }
}

extension String {
  init(_ scalars: some Sequence<Unicode.Scalar>) {
    var view = UnicodeScalarView()
    view.append(contentsOf: scalars)
    self.init(view)
  }
}
