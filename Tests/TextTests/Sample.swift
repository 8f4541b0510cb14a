import Foundation
import LatheCore
import LatheData
import Testing

@testable import LatheText

/// The goldens of tools/tokenizer_goldens.py.
enum Golden {
  static func file(_ name: String) throws -> FileContent {
    let folder = try #require(Bundle.module.url(forResource: "Goldens", withExtension: nil))
    return try FileContent(reading: folder.appendingPathComponent(name).path)
  }

  static func decode<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
    try JSONDecoder().decode(type, from: Data(file(name).bytes))
  }

  static func tokenizer(_ name: String) throws -> Tokenizer { try Tokenizer(file: file(name + ".json")) }
}

/// The strings that tokenizers are compared on, put together as in Python.
enum Sample {
  private struct Pools: Decodable {
    var phrases: [String]
    var ranges: [[UInt32]]
    var odd: [String]
    var count: Int
  }

  private struct Generator {
    var state: UInt64 = 7

    mutating func below(_ count: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(count))
    }
  }

  static func strings() throws -> [String] {
    let pools: Pools = try Golden.decode("pools.json")
    let phrases = pools.phrases.map { Array($0.unicodeScalars) }
    var generator = Generator()
    var strings = pools.phrases
    while strings.count < pools.count {
      var text: [Unicode.Scalar] = []
      for _ in 0..<1 + generator.below(7) {
        switch generator.below(10) {
        case 0..<5:
          let phrase = phrases[generator.below(phrases.count)]
          let start = generator.below(phrase.count)
          text += phrase[start..<min(phrase.count, start + 1 + generator.below(12))]
        case 5..<7:
          let range = pools.ranges[generator.below(pools.ranges.count)]
          for _ in 0..<1 + generator.below(5) {
            let offset = UInt32(generator.below(Int(range[1] - range[0]) + 1))
            text.append(try #require(Unicode.Scalar(range[0] + offset)))
          }
        default: text += pools.odd[generator.below(pools.odd.count)].unicodeScalars
        }
      }
      strings.append(String(text))
    }
    return strings
  }
}

/// 32 bits of numbers, as Python counts them.
struct Fingerprint {
  private(set) var value: UInt32 = 0x811c_9dc5

  mutating func mix(_ number: UInt32) { value = (value ^ number) &* 0x0100_0193 }

  mutating func mix(_ encoding: Encoding) {
    for place in encoding.ids.indices {
      mix(UInt32(encoding.ids[place]))
      mix(UInt32(encoding.typeIds[place]))
      mix(UInt32(encoding.specialTokensMask[place] * 2 + encoding.attentionMask[place]))
      mix(UInt32(encoding.offsets[place].lowerBound))
      mix(UInt32(encoding.offsets[place].upperBound))
      mix(UInt32(encoding.words[place] ?? 0xffff))
      for byte in encoding.tokens[place].utf8 { mix(UInt32(byte)) }
    }
  }

  static func of(_ encoding: Encoding) -> UInt32 {
    var fingerprint = Fingerprint()
    fingerprint.mix(encoding)
    return fingerprint.value
  }

  static func of(_ text: String) -> UInt32 {
    var fingerprint = Fingerprint()
    for byte in text.utf8 { fingerprint.mix(UInt32(byte)) }
    return fingerprint.value
  }
}
