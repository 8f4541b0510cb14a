public import LatheCore

extension Target {
  /// Next to no cache: kernels run in slabs wherever they can.
  public static let nextToNoCache = Target(name: "small", vectorBytes: 16, registers: 4, level2Bytes: 64)
}
