import LatheCore

/// The plan of an arena as JSON: what `dot --stage memory -o FILE.json` writes.
struct MemoryReport: Encodable {
  struct Tensor: Encodable {
    var name: String
    var type: String
    var offset: Int
    var bytes: Int
    /// The first and the last step at which the tensor is there.
    var first: Int
    var last: Int
  }

  var program: String
  var arenaBytes: Int
  var lowerBound: Int
  var peak: Int
  var steps: [String]
  var tensors: [Tensor]

  enum CodingKeys: String, CodingKey {
    case program, peak, steps, tensors
    case arenaBytes = "arena_bytes"
    case lowerBound = "lower_bound"
  }

  init(_ map: MemoryMap) {
    program = map.program
    arenaBytes = map.arenaBytes
    lowerBound = map.lowerBound
    peak = map.peak
    steps = map.steps
    tensors = map.tensors.map {
      Tensor(
        name: $0.name, type: $0.type, offset: $0.offset, bytes: $0.bytes, first: $0.steps.lowerBound,
        last: $0.steps.upperBound)
    }
  }
}
