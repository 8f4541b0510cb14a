import LatheCommands

@main
enum Tool {
  static func main() { LatheTool.main() }
}
