import CZlib
package import LatheCore

extension FileContent {
  /// The content without the packing of gzip.
  ///
  /// - Throws: With the file as its place, that it is not packed so, or damaged.
  package func gunzipped() throws(DiagnosticsError) -> FileContent {
    func fault(_ message: String) -> DiagnosticsError { DiagnosticsError(message, location: Location(file: path)) }
    guard bytes.starts(with: [0x1f, 0x8b]) else { throw fault("is not packed by gzip") }
    var stream = z_stream()
    // 16 more than the largest window stand for gzip's header.
    guard
      inflateInit2_(&stream, MAX_WBITS + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw fault("cannot be unpacked: the memory is too small") }
    defer { inflateEnd(&stream) }
    var content: [UInt8] = []
    var source = bytes
    let status = source.withUnsafeMutableBufferPointer { source -> Int32 in
      var position = 0
      while true {
        let given = min(source.count - position, 1 << 30)
        let room = min(max(content.count, 1 << 16), 1 << 26)
        var status = Z_OK
        stream.next_in = source.baseAddress.map { $0 + position }
        stream.avail_in = uInt(given)
        content += [UInt8](unsafeUninitializedCapacity: room) { target, initialized in
          stream.next_out = target.baseAddress
          stream.avail_out = uInt(room)
          status = inflate(&stream, Z_NO_FLUSH)
          initialized = room - Int(stream.avail_out)
        }
        position += given - Int(stream.avail_in)
        if status == Z_STREAM_END {
          // Several packed files may follow each other.
          guard position < source.count else { return Z_OK }
          inflateReset(&stream)
        } else if status != Z_OK || position == source.count && stream.avail_out > 0 {
          return status == Z_OK ? Z_BUF_ERROR : status
        }
      }
    }
    guard status == Z_OK else {
      throw fault("is damaged: " + (status == Z_BUF_ERROR ? "it ends too early" : "it cannot be unpacked"))
    }
    return FileContent(path: path, bytes: content)
  }
}
