/// The path of the layer that a node was exported from, as its name or its exporter's notes tell.
func modulePath(_ node: Onnx_NodeProto) -> String? {
  // torch's newer exporter: "['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d']", the last being the node itself.
  if let scopes = node.metadataProps.first(where: { $0.key == "pkg.torch.onnx.name_scopes" })?.value {
    let names = scopes.split(separator: "'", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    return names.dropLast().last { !$0.isEmpty }
  }
  // Its older exporter: "/layer1/layer1.0/conv1/Conv".
  guard node.name.hasPrefix("/") else { return nil }
  var path: [Substring] = []
  for part in node.name.split(separator: "/").dropLast() {
    if let last = path.last, part.hasPrefix(last + ".") { path.removeLast() }
    path.append(part)
  }
  return path.isEmpty ? nil : path.joined(separator: ".")
}
