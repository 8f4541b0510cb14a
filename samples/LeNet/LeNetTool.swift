@main
enum LeNetTool {
  static func main() {}
}
