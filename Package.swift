// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// The targets in the order of the pipeline: each depends only on those above it.
let package = Package(
  name: "Lathe",
  products: [
    .library(name: "Lathe", targets: ["Lathe"]),
    .library(name: "LatheFiles", targets: ["LatheCore", "LatheData", "LatheMemory", "LatheONNX", "LathePT2"]),
    .library(name: "LatheImages", targets: ["LatheImages"]),
    .library(name: "LatheLoading", targets: ["LatheLoading"]),
    .library(name: "LatheVision", targets: ["LatheVision"]),
    .library(name: "LatheText", targets: ["LatheText"]),
    .library(name: "LatheTensorBoard", targets: ["LatheTensorBoard"]),
    .library(name: "LatheTrainer", targets: ["LatheTrainer"]),
    .library(name: "LatheCommands", targets: ["LatheCommands"]),
    .executable(name: "lathe", targets: ["LatheCLI"]),
    .executable(name: "lenet", targets: ["LeNetSample"]),
    .executable(name: "digits", targets: ["DigitsSample"]),
    .executable(name: "torchvision", targets: ["TorchvisionSample"]),
    .executable(name: "shapes", targets: ["ShapesSample"]),
    .executable(name: "intents", targets: ["IntentsSample"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CGraphviz", path: "Sources/CGraphviz", pkgConfig: "libgvc", providers: [.apt(["libgraphviz-dev"])]),
    .systemLibrary(name: "CZip", path: "Sources/CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", path: "Sources/COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CPNG", path: "Sources/CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(
      name: "CJPEG", path: "Sources/CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg62-turbo-dev"])]),
    .target(
      name: "CCodecs", dependencies: ["CPNG", "CJPEG"], path: "Sources/CCodecs",
      linkerSettings: [.linkedLibrary("png"), .linkedLibrary("jpeg")]),
    .target(name: "CProbe", path: "Sources/CProbe"),
    .target(name: "CKernels", path: "Sources/CKernels"),
    .target(name: "CRoutines", path: "Sources/CRoutines"),
    .target(name: "LatheMemory", path: "Sources/MemoryPlan", swiftSettings: settings),
    .target(
      name: "LatheCore", dependencies: ["LatheMemory", "CRoutines"], path: "Sources/Core", swiftSettings: settings),
    .target(name: "LatheData", dependencies: ["LatheCore", "CZip", "CZlib"], path: "Sources/Data", swiftSettings: settings),
    .target(
      name: "LatheImages", dependencies: ["LatheCore", "LatheData", "CCodecs"], path: "Sources/Images",
      swiftSettings: settings),
    .target(name: "LatheNN", dependencies: ["LatheCore"], path: "Sources/NN", swiftSettings: settings),
    .target(
      name: "LatheLoading", dependencies: ["LatheCore", "LatheNN"], path: "Sources/Loading", swiftSettings: settings),
    .target(
      name: "LatheVision", dependencies: ["LatheCore", "LatheData", "LatheNN", "LatheLoading", "LatheImages"],
      path: "Sources/Vision", swiftSettings: settings),
    .target(
      name: "LatheONNX",
      dependencies: ["LatheCore", "LatheData", "LatheNN", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      path: "Sources/ONNX", swiftSettings: settings),
    .target(
      name: "LathePT2", dependencies: ["LatheCore", "LatheData", "LatheNN"], path: "Sources/PT2",
      swiftSettings: settings),
    .target(
      name: "LatheRun", dependencies: ["LatheCore", "CKernels", "COpenBLAS", "CRoutines"], path: "Sources/Run",
      swiftSettings: settings),
    .target(
      name: "LatheC", dependencies: ["LatheCore"], path: "Sources/EmitC", resources: [.embedInCode("Routines")],
      swiftSettings: settings),
    .target(
      name: "LatheText", dependencies: ["LatheCore", "LatheData"], path: "Sources/Text", swiftSettings: settings),
    .target(
      name: "LatheTensorBoard",
      dependencies: [
        "LatheCore", "LatheData", "LatheImages", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      path: "Sources/TensorBoard", exclude: ["Generated/tensorboard.proto"], swiftSettings: settings),
    .target(
      name: "LatheDraw", dependencies: ["LatheCore", "CGraphviz"], path: "Sources/Draw", swiftSettings: settings),
    .target(
      name: "Lathe",
      dependencies: ["LatheCore", "LatheData", "LatheNN", "LatheONNX", "LathePT2", "LatheRun", "LatheC"],
      path: "Sources/Lathe", swiftSettings: settings),
    .target(
      name: "LatheTrainer", dependencies: ["Lathe", "LatheCore", "LatheLoading", "LatheTensorBoard"],
      path: "Sources/Trainer", swiftSettings: settings),
    .target(
      name: "LatheCommands",
      dependencies: [
        "CProbe", "Lathe", "LatheC", "LatheData", "LatheDraw", "LatheMemory", "LatheONNX", "LathePT2", "LatheRun",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/Commands", swiftSettings: settings),
    .executableTarget(name: "LatheCLI", dependencies: ["LatheCommands"], path: "Sources/CLI", swiftSettings: settings),
    .executableTarget(
      name: "LeNetSample",
      dependencies: [
        "Lathe", "LatheCommands", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "samples/LeNet", swiftSettings: settings),
    .executableTarget(
      name: "DigitsSample",
      dependencies: [
        "Lathe", "LatheCommands", "LatheCore", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "samples/Digits", exclude: ["digits.bin", "main.c"], swiftSettings: settings),
    .executableTarget(
      name: "TorchvisionSample",
      dependencies: [
        "Lathe", "LatheCommands", "LatheVision", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "samples/Torchvision", swiftSettings: settings),
    .executableTarget(
      name: "ShapesSample",
      dependencies: [
        "Lathe", "LatheCommands", "LatheLoading", "LatheVision",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "samples/Shapes", exclude: ["images", "main.c"], swiftSettings: settings),
    .executableTarget(
      name: "IntentsSample",
      dependencies: [
        "Lathe", "LatheCommands", "LatheCore", "LatheLoading", "LatheText", "LatheTrainer",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "samples/Intents", exclude: ["main.c", "sentences.tsv", "tokenizer.json"], swiftSettings: settings),
    .executableTarget(
      name: "FaultySample",
      dependencies: [
        "Lathe", "LatheCommands", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/FaultySample", swiftSettings: settings),
    .target(name: "TestSupport", dependencies: ["Lathe"], path: "Tests/TestSupport", swiftSettings: settings),
    .testTarget(
      name: "MemoryPlanTests", dependencies: ["LatheMemory"], path: "Tests/MemoryPlanTests",
      resources: [.copy("Instances")], swiftSettings: settings),
    .testTarget(
      name: "CoreTests", dependencies: ["LatheCore", "TestSupport"], path: "Tests/CoreTests", swiftSettings: settings),
    .testTarget(
      name: "DataTests", dependencies: ["LatheData", "TestSupport"], path: "Tests/DataTests",
      resources: [.copy("Fixtures")], swiftSettings: settings),
    .testTarget(
      name: "BackendTests", dependencies: ["Lathe", "TestSupport"], path: "Tests/BackendTests", exclude: ["Goldens"],
      swiftSettings: settings),
    .testTarget(
      name: "NNTests", dependencies: ["Lathe", "TestSupport"], path: "Tests/NNTests",
      exclude: ["Goldens", "Ledger.csv"],
      swiftSettings: settings),
    .testTarget(
      name: "ImagesTests", dependencies: ["LatheImages", "Lathe"], path: "Tests/ImagesTests", exclude: ["Fixtures"],
      swiftSettings: settings),
    .testTarget(
      name: "LoadingTests", dependencies: ["LatheLoading", "Lathe"], path: "Tests/LoadingTests", exclude: ["Goldens"],
      swiftSettings: settings),
    .testTarget(
      name: "VisionTests", dependencies: ["LatheVision", "Lathe", "TestSupport"], path: "Tests/VisionTests",
      exclude: ["Fixtures", "Goldens"], swiftSettings: settings),
    .testTarget(
      name: "TrainerTests", dependencies: ["LatheTrainer", "LatheVision", "TestSupport"], path: "Tests/TrainerTests",
      exclude: ["Goldens"], swiftSettings: settings),
    .testTarget(
      name: "ONNXTests",
      dependencies: ["LatheONNX", "Lathe", "TestSupport", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      path: "Tests/ONNXTests", resources: [.copy("Models"), .copy("Operators"), .copy("Schemas.csv")],
      swiftSettings: settings),
    .testTarget(
      name: "PT2Tests", dependencies: ["LathePT2", "Lathe", "TestSupport"], path: "Tests/PT2Tests",
      resources: [.copy("Programs")], swiftSettings: settings),
    .testTarget(
      name: "TextTests", dependencies: ["LatheText", "LatheCore", "LatheData"], path: "Tests/TextTests",
      resources: [.copy("Goldens")], swiftSettings: settings),
    .testTarget(
      name: "TensorBoardTests", dependencies: ["LatheTensorBoard", "Lathe", "LatheData", "LatheImages", "TestSupport"],
      path: "Tests/TensorBoardTests", resources: [.copy("Goldens")], swiftSettings: settings),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "LatheCommands", "LatheData", "LatheDraw", "LatheONNX", "LatheCLI", "LeNetSample", "DigitsSample",
        "FaultySample", "LatheImages", "ShapesSample", "IntentsSample", "TorchvisionSample",
      ],
      path: "Tests/CommandTests", exclude: ["Fixtures", "Snapshots"], swiftSettings: settings),
  ]
)

// Training in several processes needs MPI, which is not there on most machines.
if Context.environment["LATHE_MPI"] == "1" {
  package.products.append(.library(name: "LatheDistributed", targets: ["LatheDistributed"]))
  package.targets += [
    .systemLibrary(
      name: "COpenMPI", path: "Sources/COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .target(
      name: "LatheDistributed", dependencies: ["Lathe", "LatheCore", "LatheNN", "LatheRun", "COpenMPI"],
      path: "Sources/Distributed", swiftSettings: settings),
    .executableTarget(
      name: "DistributedSample", dependencies: ["Lathe", "LatheDistributed"], path: "Tests/DistributedSample",
      swiftSettings: settings),
    .testTarget(
      name: "DistributedTests", dependencies: ["DistributedSample"], path: "Tests/DistributedTests",
      swiftSettings: settings),
  ]
}
