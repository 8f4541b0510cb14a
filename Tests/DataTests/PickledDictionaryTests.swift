import LatheCore
import LatheData
import Testing

@Suite struct PickledDictionaryTests {
  @Test(arguments: ["arrays3.pkl", "arrays4.pkl"]) func readsArraysAndLists(_ name: String) throws {
    let dictionary = try PickledDictionary(fixture(name))
    #expect(dictionary.arrays == ["data": fixtureArray(.i16)])
    #expect(dictionary.integers == ["labels": [1, -2]])
    #expect(dictionary.texts == ["names": ["a", "größe"]])
  }

  @Test func otherOrdersAreRefused() throws {
    let fault = #expect(throws: DiagnosticsError.self) { try PickledDictionary(fixture("arrays-big-endian.pkl")) }
    #expect(fault?.description.contains("has 'data' of the type 'i2', which is not read") == true)
  }

  @Test func tensorsAreRefused() throws {
    #expect(throws: DiagnosticsError.self) { try PickledDictionary(fixture("legacy.pth")) }
    #expect(throws: DiagnosticsError.self) { try PickledDictionary(fixture("tensor.pt")) }
  }
}
