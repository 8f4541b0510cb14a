extension Pass {
  /// Removes `detach`, which says something to differentiation only: for graphs that are not differentiated any more.
  public static let dropDetach = Pass(
    "drop-detach",
    [
      RewriteRule("detach") { match in
        if case .detach = match.operation { match.operands } else { nil }
      }
    ])
}
