import Foundation
import LatheCore
import LatheData
import LatheImages
import Testing

/// The same network as a file and as Swift code.
@Suite struct SampleTests {
  private let lenet = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../samples/lenet.onnx").standardized.path

  @Test func theFileIsSound() throws {
    let bench = try Workbench()
    let check = try bench.run("lathe", "check", lenet)
    #expect(check.errors == "")
    try expectSnapshot(check.output, "check-lenet-onnx")
    try expectSnapshot(try bench.run("lathe", "info", lenet).output, "info-lenet-onnx")
  }

  @Test func theSampleIsAToolOfItsOwn() throws {
    let bench = try Workbench()
    let check = try bench.run("lenet", "check")
    #expect(check.errors == "")
    try expectSnapshot(check.output, "check-lenet")
    try expectSnapshot(try bench.run("lenet", "info", "--dim", "N=1").output, "info-lenet")
    #expect(try bench.run("lenet", "check", "--dim", "M=1").status == 1)
    #expect(try bench.run("lenet", "frobnicate").status == 64)
  }

  @Test func theSampleRunsForEveryBatch() throws {
    let bench = try Workbench()
    #expect(try bench.run("lenet", "run", "--dim", "N=2", "--outputs", "out").status == 0)
    #expect(try NDArray(readingNPY: bench.path("out/output_0.npy").path).shape == [2, 10])
  }

  @Test func theFileCompilesToTheSameCTwice() throws {
    let bench = try Workbench()
    for folder in ["a", "b"] {
      _ = try bench.shell("mkdir \(folder)")
      let outcome = try bench.run("lathe", "compile", lenet, "-o", "\(folder)/lenet.c")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try bench.shell("ls \(folder)").output == "lenet.c\nlenet.h\n")
    }
    #expect(try bench.shell("cmp a/lenet.c b/lenet.c && cmp a/lenet.h b/lenet.h").status == 0)
    let flags = "-std=c11 -O0 -Wall -Wextra -Wpedantic -Wconversion -Werror"
    let compiled = try bench.shell("cc \(flags) -c a/lenet.c -o lenet.o")
    #expect(compiled.status == 0, "\(compiled.errors.prefix(2000))")
  }

  @Test func weightsMayBeAFileOfTheirOwn() throws {
    let bench = try Workbench()
    #expect(try bench.run("lathe", "compile", lenet, "-o", "lenet.c", "--weights", "file").status == 0)
    #expect(try bench.files() == ["lenet.c", "lenet.h", "lenet.weights"])
  }

  /// From a folder of pictures to C that knows those of a test.
  @Test func picturesAreLearntAndKnownInC() throws {
    let bench = try Workbench()
    let sample = URL(fileURLWithPath: lenet).deletingLastPathComponent().appendingPathComponent("Shapes").path
    let learnt = try bench.run("shapes", "learn", sample + "/images", "-o", "shapes.safetensors")
    #expect(learnt.status == 0, "\(learnt.errors)")
    let compiled = try bench.run("shapes", "compile", "--state", "shapes.safetensors", "-o", "shapes.c")
    #expect(compiled.status == 0, "\(compiled.errors)")
    let flags = "-std=c11 -O1 -Wall -Wextra -Wpedantic -Wconversion -Werror -I."
    let built = try bench.shell("gcc \(flags) \(sample)/main.c shapes.c -lm -o classify")
    #expect(built.status == 0, "\(built.errors.prefix(2000))")
    var known = 0
    for name in ["cross", "disc", "ring"] {
      for number in 10..<20 {
        let picture = try readImage("\(sample)/images/test/\(name)/\(number).jpg")
        let pixels = (0..<1024).flatMap { pixel in (0..<3).map { picture.bytes[$0 * 1024 + pixel] } }
        try (Array("P6 32 32 255\n".utf8) + pixels).writeAtomically(to: bench.path("picture.ppm").path)
        known += try bench.shell("./classify picture.ppm").output.hasPrefix(name) ? 1 : 0
      }
    }
    #expect(known >= 27, "\(known) of 30; \(learnt.output.suffix(100))")
    #expect(try bench.shell("./classify shapes.c").status == 64)
    #expect(try bench.run("shapes", "learn", "nowhere").errors.contains("nowhere/train: error: is no folder"))
  }

  @Test func gradientsOfAFileAreTakenByTheNamesOfItsInitializers() throws {
    let bench = try Workbench()
    let outcome = try bench.run(
      "lathe", "grad", lenet, "--of", "logits", "--wrt", "fc3.bias", "--wrt", "input", "-o", "g.lathe")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let summary = try bench.run("lathe", "check", "g.lathe").output
    #expect(summary.contains("  output  grad/fc3.bias: f32[10]\n  output  grad/input: f32[1,1,32,32]\n"))
  }

  @Test func benchMeasures() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.run("lathe", "bench", "mlp.lathe", "--dim", "N=2", "--json", "--threads", "1")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    #expect(json?["macs"] as? Int == 24)
    #expect(try #require(json?["median_ms"] as? Double) > 0)
  }
}

/// torchvision's models by name.
@Suite struct TorchvisionTests {
  @Test func aModelIsAToolWithAllCommands() throws {
    let bench = try Workbench()
    #expect(try bench.run("torchvision", "list").output.split(separator: "\n").count == 50)
    let compiled = try bench.run(
      "torchvision", "compile", "squeezenet1_1", "--classes", "3", "--size", "32", "--dim", "N=1", "-o", "net.c")
    #expect(compiled.status == 0, "\(compiled.errors)")
    #expect(try bench.run("torchvision", "check", "resnet19").status == 1)
  }
}

/// The text classifier of the article: trained in Swift, the same in C.
@Suite struct IntentsTests {
  @Test func theTextClassifierLearnsAndSaysTheSameInC() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../samples/Intents").standardized.path
    let bench = try Workbench()
    let fit = try bench.run("intents", "fit", "--data", folder, "--epochs", "12", "-o", "intents.safetensors")
    #expect(fit.status == 0, "\(fit.errors)")
    #expect(fit.errors.contains("Epoch 12/12: 30/30"))
    let share = try #require(fit.output.split(separator: " ").dropFirst().first.flatMap { Double($0) })
    #expect(share > 95, "\(fit.output)")
    let compiled = try bench.run(
      "intents", "compile", "--data", folder, "--parameters", "intents.safetensors", "-o", "intents.c")
    #expect(compiled.status == 0, "\(compiled.errors)")
    let built = try bench.shell(
      "gcc -std=c11 -O1 -Wall -Wextra -Wpedantic -Wconversion -Werror \(folder)/main.c -I. intents.c -lm -o intents")
    #expect(built.status == 0, "\(built.errors)")
    for (sentence, intent) in [
      ("could you play some jazz in the office", "music"), ("it is too dark in the hall", "lights_on"),
      ("will it rain in Oslo tomorrow", "weather"), ("we have run out of soap", "shopping"),
    ] {
      let told = try bench.run(
        "intents", "tell", "--data", folder, "--parameters", "intents.safetensors", sentence)
      #expect(told.output == intent + "\n", "\(sentence) \(told.errors)")
      let tokens = try bench.run("intents", "tell", "--data", folder, "--tokens", sentence).output
      #expect(try bench.shell("./intents \(tokens)").output == intent + "\n")
    }
    #expect(try bench.run("intents", "tell", "--data", folder, "--parameters", "none.pt", "hello").status == 1)
  }
}
