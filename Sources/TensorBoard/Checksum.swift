/// The checksum of event files: CRC-32C (Castagnoli's polynomial), and the masked form of it that is stored.
///
/// Source: TFRecord, https://www.tensorflow.org/tutorials/load_data/tfrecord; Castagnoli, Bräuer, Herrmann, Optimization of
/// cyclic redundancy-check codes with 24 and 32 parity bits, 1993.
enum Checksum {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { rest, _ in rest & 1 == 0 ? rest >> 1 : rest >> 1 ^ 0x82f6_3b78 }
  }

  static func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(.max) { rest, byte in table[Int((rest ^ UInt32(byte)) & 0xff)] ^ rest >> 8 }
  }

  /// A checksum of bytes that hold checksums should not be one of those: it is turned, and a constant is added.
  static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let checksum = crc32c(bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xa282_ead8
  }
}
