extension Collection where Element == String {
  /// The name that was probably meant by one that is not there: what differs from it by no more than two characters, and
  /// by no more than a third of them, apart from the letters' case; nil where nothing does.
  package func nearest(to name: String) -> String? {
    let wanted = name.lowercased()
    let nearest = map { (name: $0, distance: $0.lowercased().distance(to: wanted)) }
      .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
    guard let nearest, nearest.distance <= Swift.min(2, name.count / 3) else { return nil }
    return nearest.name
  }
}

extension String {
  /// How many characters have to be put in, left out or replaced to make another text.
  fileprivate func distance(to other: String) -> Int {
    var row = Array(0...other.count)
    for (i, a) in enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, b) in other.enumerated() {
        let replaced = diagonal + (a == b ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = Swift.min(replaced, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[other.count]
  }
}
