extension String {
  /// Whether the whole text matches a pattern, in which `*` stands for any characters and `?` for one.
  package func matches(pattern: String) -> Bool {
    let (text, pattern) = (Array(self), Array(pattern))
    var (position, next) = (0, 0)
    /// Where the last `*` is, and how far it reaches by now.
    var star: (pattern: Int, text: Int)?
    while position < text.count {
      if next < pattern.count, pattern[next] == "*" {
        star = (next, position)
        next += 1
      } else if next < pattern.count, pattern[next] == "?" || pattern[next] == text[position] {
        position += 1
        next += 1
      } else if let last = star {
        star = (last.pattern, last.text + 1)
        next = last.pattern + 1
        position = last.text + 1
      } else {
        return false
      }
    }
    return pattern[next...].allSatisfy { $0 == "*" }
  }
}
