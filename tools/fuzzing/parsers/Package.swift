// swift-tools-version: 6.2
import PackageDescription

/// The parsers of Lathe's file formats under libFuzzer: `tools/fuzz parsers`.
let package = Package(
  name: "ParserFuzzer",
  dependencies: [.package(name: "Lathe", path: "../../..")],
  targets: [
    .target(name: "CFuzzer"),
    .executableTarget(
      name: "ParserFuzzer", dependencies: ["CFuzzer", .product(name: "LatheFiles", package: "Lathe")],
      swiftSettings: [.swiftLanguageMode(.v6)], linkerSettings: [.linkedLibrary("stdc++")]),
  ]
)
