import Lathe
import Testing

@Suite struct RandomStateTests {
  /// numpy.random.seed(7); random() three times; then the shuffles.
  @Test func numbersAreThoseOfNumPy() throws {
    let state = RandomState(seed: 7)
    #expect((0..<3).map { _ in state.random() } == [0.07630828937395717, 0.7799187922401146, 0.4384092314408935])
    var list = Array(0..<20)
    state.shuffle(&list)
    #expect(list == [1, 5, 11, 13, 2, 3, 9, 16, 12, 0, 4, 6, 19, 17, 15, 10, 18, 8, 14, 7])
    var part = Array(0..<10)
    state.shuffle(&part)
    #expect(part == [4, 2, 6, 1, 3, 7, 9, 0, 8, 5])
    let array = try state.random(2, 1)
    #expect(array.dtype == .f64 && array.shape == [2, 1])
    #expect(array.doubles == [0.2303028790209648, 0.5484899192360304])
  }

  @Test func nothingAndOneStayAsTheyAre() throws {
    let state = RandomState(seed: 0)
    var (none, one) = ([Int](), [3])
    state.shuffle(&none)
    state.shuffle(&one)
    #expect(none.isEmpty && one == [3])
    #expect(state.random() == 0.5488135039273248)
    #expect(try state.random(0).count == 0)
    #expect(throws: DiagnosticsError.self) { try state.random(-1) }
  }
}
