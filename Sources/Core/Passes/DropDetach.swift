extension Pass {
  /// Removes `detach` and replaces calls by their bodies, for graphs that are not differentiated any more.
  ///
  /// Both say something to differentiation only. What is to be computed again stays apart.
  public static let dropDetach = Pass(
    "drop-detach",
    [
      RewriteRule("detach") { match in
        if case .detach = match.operation { match.operands } else { nil }
      },
      RewriteRule("call") { match in
        guard case .call(let call) = match.operation, !call.isKept else { return nil }
        return call.body.inlined(match.operands, in: match.builder)
      },
    ])
}
