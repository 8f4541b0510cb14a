internal import LatheCore

/// What is not supported, for messages and for the article that lists the operators.
extension Operator {
  private static let strings = "Lathe has no strings: turn texts into numbers before the model"
  private static let maps = "Lathe has no maps: export the model without them (zipmap=False in skl2onnx)"

  /// Why operators are not supported, with what could be done instead, by domain.
  static let refusals: [String: [String: String]] = [
    "": [
      "ImageDecoder": "decode images before the model, which takes their pixels",
      "RegexFullMatch": strings, "StringConcat": strings, "StringNormalizer": strings, "StringSplit": strings,
    ],
    "ai.onnx.ml": [
      "CastMap": maps, "CategoryMapper": strings, "DictVectorizer": maps, "ZipMap": maps,
    ],
    "ai.onnx.preview.training": [:],
  ]

  /// What could be done where an operator is not known: nil where there is nothing to say.
  static func remedy(forUnknown name: String, domain: String) -> String? {
    if let refusal = refusals[domain]?[name] { return refusal }
    let others = table.keys.filter { table[$0]?[name] != nil }.sorted().map { $0.isEmpty ? "ai.onnx" : $0 }
    if !others.isEmpty { return "\(others.joined(separator: " and ")) has an operator of this name" }
    return table[domain]?.keys.nearest(to: name).map { "did you mean '\($0)'?" }
  }

  /// What of supported operators is not, by domain.
  static let limits: [String: [String: String]] = [
    "": [
      "Bernoulli": "`seed` is not used",
      "Constant": "no strings",
      "GridSample": "of 1 to 3 spatial axes",
      "Loop": "results that are stacked by a loop that only its condition ends need `--max`",
      "Multinomial": "`seed` is not used",
      "Optional": "resolved while importing", "OptionalGetElement": "resolved while importing",
      "OptionalHasElement": "resolved while importing; an optional input holds something unless `--absent` names it",
      "RandomNormal": "`seed` is not used", "RandomNormalLike": "`seed` is not used",
      "RandomUniform": "`seed` is not used", "RandomUniformLike": "`seed` is not used",
      "Scan": "in opset 8 all sequences have one length",
      "SequenceAt": "resolved while importing", "SequenceConstruct": "resolved while importing",
      "SequenceEmpty": "resolved while importing", "SequenceErase": "resolved while importing",
      "SequenceInsert": "resolved while importing", "SequenceLength": "resolved while importing",
      "SequenceMap": "resolved while importing",
      "SplitToSequence": "resolved while importing", "ConcatFromSequence": "resolved while importing",
      "TfIdfVectorizer": "no strings",
    ],
    "ai.onnx.ml": [
      "LabelEncoder": "no strings", "LinearClassifier": "labels are integers",
      "OneHotEncoder": "categories are integers", "SVMClassifier": "labels are integers",
      "TreeEnsembleClassifier": "labels are integers",
    ],
    "ai.onnx.preview.training": ["Gradient": "at the graph's own values"],
    "com.microsoft": [
      "Attention": "no rotated or shared caches, no masks of 4 axes",
      "GroupQueryAttention": "no sinks, norms, smooth softmax, or caches of integers",
      "MatMulNBits": "2, 4 and 8 bits, no `g_idx`",
      "MultiHeadAttention": "no beams",
      "RotaryEmbedding": "no packed batches",
    ],
  ]
}
