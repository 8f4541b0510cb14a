import LatheCore

/// Modules as text, in the words of PyTorch's `repr`.
extension Parameterized {
  /// The module's type, options and modules.
  public var description: String { ModuleTree(self).root.text }
}

extension ModuleTree.Node {
  fileprivate var text: String {
    switch content {
    case .parameter(let parameter):
      let sizes = parameter.sizes.map { "\($0)" }.joined(separator: "x")
      return "Parameter containing: [torch.\(parameter.type.dtype.torchName) of size \(sizes)]"
    case .module(let module):
      let extra = module.extraRepr.isEmpty ? [] : module.extraRepr.split(separator: "\n").map { "\($0)" }
      let modules = children.filter(\.isShown).map { "(\($0.name)): \($0.text.indented)" }
      return block(typeName(module), modules.isEmpty && extra.count == 1 ? [] : extra + modules, inline: extra.first)
    case .list:
      let isParameters = children.allSatisfy { $0.parameter != nil }
      guard !isParameters else {
        // PyTorch indents parameters its own way.
        let lines = children.map { "  (\($0.name)): \($0.text)" }
        return block("ParameterList", lines.count == 1 ? [] : lines, inline: lines.first)
      }
      var runs: [(first: String, last: String, count: Int, text: String)] = []
      for child in children {
        let text = child.text
        if let run = runs.last, run.text == text {
          runs[runs.count - 1] = (run.first, child.name, run.count + 1, text)
        } else {
          runs.append((child.name, child.name, 1, text))
        }
      }
      let lines = runs.map { run in
        let names = run.count == 1 ? "(\(run.first)): " : "(\(run.first)-\(run.last)): \(run.count) x "
        return names + run.text.indented
      }
      return block("ModuleList", lines, inline: nil)
    case .group:
      return block("ModuleDict", children.filter(\.isShown).map { "(\($0.name)): \($0.text.indented)" }, inline: nil)
    }
  }

  /// Whether PyTorch's text shows it: modules, and lists of anything.
  private var isShown: Bool { parameter == nil }

  /// The type's name without its parameters; of layers for any number of axes the name of one, `MaxPoolNd<2>` as
  /// `MaxPool2d`.
  private func typeName(_ module: any Parameterized) -> String {
    let parts = "\(type(of: module))".split(separator: "<", maxSplits: 1)
    guard parts.count == 2, parts[0].hasSuffix("Nd"), let rank = Int(parts[1].dropLast()) else {
      return String(parts[0])
    }
    return "\(parts[0].dropLast(2))\(rank)d"
  }

  private func block(_ name: String, _ lines: [String], inline: String?) -> String {
    lines.isEmpty ? "\(name)(\(inline ?? ""))" : "\(name)(\n  " + lines.joined(separator: "\n  ") + "\n)"
  }
}

extension String {
  /// The text with all lines but the first moved to the right.
  fileprivate var indented: String {
    split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n  ")
  }
}

/// Options as Python writes them: `kernel_size=(5, 5), bias=True`.
func options(_ options: KeyValuePairs<String, Any?>) -> String {
  options.map { $0.key.isEmpty ? pythonText($0.value) : "\($0.key)=\(pythonText($0.value))" }.joined(separator: ", ")
}

private func pythonText(_ value: Any?) -> String {
  switch value {
  case .none: "None"
  case let flag as Bool: flag ? "True" : "False"
  case let factors as [Double]: "(" + factors.map { "\($0)" }.joined(separator: ", ") + ")"
  case let sizes as [Int]: "(" + sizes.map { "\($0)" }.joined(separator: ", ") + (sizes.count == 1 ? ",)" : ")")
  case .some(let value): "\(value)"
  }
}

/// Sizes of which one stands for all axes.
func oneOrAll<Size>(_ sizes: [Size]) -> Any { sizes.count == 1 ? sizes[0] : sizes }

extension ScalarType {
  /// PyTorch's name.
  fileprivate var torchName: String {
    if isFloat { return self == .bf16 ? "bfloat16" : "float\(byteCount * 8)" }
    guard self != .bool else { return "bool" }
    return (rawValue.hasPrefix("u") ? "uint" : "int") + "\(byteCount * 8)"
  }
}
