import LatheCore
import LatheTensorBoard

/// The calls of tools/tensorboard_events.py, whose events are goldens.
enum Calls {
  static let time = 1_700_000_000.5

  static let rules: [(String, HistogramBins)] = [
    ("auto", .auto), ("fd", .fd), ("doane", .doane), ("scott", .scott), ("stone", .stone), ("rice", .rice),
    ("sturges", .sturges), ("sqrt", .sqrt),
  ]

  /// Numbers that both languages compute alike.
  static func waves(_ count: Int) -> [Float] { (0..<count).map { Float(($0 * 7919 + 13) % 1009 - 504) / 64 } }

  /// Bytes in a pattern.
  static func pixels(_ shape: Int...) throws -> NDArray {
    try NDArray(dtype: .u8, shape: shape, bytes: (0..<shape.reduce(1, *)).map { UInt8($0 * 37 % 251) })
  }

  static func write(to folder: String) throws {
    let writer = try SummaryWriter(logDir: folder)
    for step in 0..<3 {
      try writer.addScalar(
        "Loss/train", 1 / Double(step + 1), globalStep: step, walltime: time + Double(step))
    }
    try writer.addScalar("Loss/new", 0.125, globalStep: 7, walltime: time, newStyle: true)
    try writer.addScalar("Loss/double", 0.1, globalStep: 7, walltime: time, newStyle: true, doublePrecision: true)
    try writer.addScalar("Loss/none", -2.5, walltime: time)
    try writer.addText("notes", "**bold** größer 日本語", globalStep: 1, walltime: time)
    let numbers = NDArray(waves(1000))
    try writer.addHistogram("weights", numbers, globalStep: 1, walltime: time)
    try writer.addHistogram("one", NDArray([Float(0)]), globalStep: 1, walltime: time)
    try writer.addHistogram("joined", numbers, globalStep: 1, walltime: time, maxBins: 100)
    try writer.addHistogram("limits", numbers, globalStep: 1, bins: .limits([-10, -1, 0, 0.5, 100]), walltime: time)
    try writer.addHistogram("five", numbers, globalStep: 1, bins: .count(5), walltime: time)
    for (name, rule) in rules {
      let cubes = NDArray(waves(500).map { $0 * $0 * $0 })
      try writer.addHistogram(name, cubes, globalStep: 1, bins: rule, walltime: time)
    }
    let labels = NDArray(waves(200).map { $0 > 0 ? Int64(1) : 0 })
    let chances = NDArray(zip(waves(200), waves(201).dropFirst()).map { max(0, min(1, ($0 + $1) / 32 + 0.5)) })
    try writer.addPrCurve("curve", labels: labels, predictions: chances, globalStep: 2, walltime: time)
    try writer.addPrCurve(
      "weighted", labels: labels, predictions: chances, globalStep: 2, numThresholds: 11,
      weights: NDArray(waves(200).map(abs)), walltime: time)
    try writer.addImage("image", pixels(3, 5, 7), globalStep: 1, walltime: time)
    try writer.addImage("opaque", pixels(4, 2, 3), globalStep: 1, walltime: time)
    let floats = try NDArray(pixels(5, 7, 3).doubles.map { Float($0) / 200 }, shape: [5, 7, 3])
    try writer.addImage("floats", floats, globalStep: 1, walltime: time, dataformats: "HWC")
    try writer.addImage("gray", pixels(5, 7), globalStep: 1, walltime: time, dataformats: "HW")
    try writer.addImages("images", pixels(10, 3, 2, 3), globalStep: 1, walltime: time)
    try writer.addImages("last", pixels(3, 2, 3, 1), globalStep: 1, walltime: time, dataformats: "NHWC")
    try writer.addScalars("lines/both", ["a": 1.5, "b": 2.5], globalStep: 4, walltime: time)
    try writer.addHparams(
      ["lr": 0.1, "optimizer": "adam"], ["hparam/loss": 0.25], hparamDomainDiscrete: ["lr": [0.1, 0.2]],
      runName: "row", globalStep: 3)
    try writer.addEmbedding(
      NDArray(waves(12), shape: [4, 3]), metadata: ["a", "b", "größe", "d e"],
      labelImg: NDArray(pixels(4, 3, 2, 2).doubles.map { Float($0) / 255 }, shape: [4, 3, 2, 2]), globalStep: 2)
    try writer.addEmbedding(
      NDArray(waves(4), shape: [2, 2]), metadata: [["1", "x"], ["2", "y"]], metadataHeader: ["n", "s"], tag: "a/b")
    try writer.close()
    let resumed = try SummaryWriter(logDir: folder + "/resumed", purgeStep: 2, filenameSuffix: ".more")
    try resumed.addScalar("Loss/train", 0.5, globalStep: 2, walltime: time)
    try resumed.close()
  }
}
