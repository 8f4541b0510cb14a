internal import CKernels
public import LatheCore

extension Target {
  /// What the interpreter's kernels are compiled for, of what this machine has.
  public static let interpreter = Target(
    name: "interpreter", vectorBytes: Int(lathe_vector_bytes()), registers: Int(lathe_vector_registers()),
    level2Bytes: 1 << 20, longSum: 256, isInterpreted: true)
}
