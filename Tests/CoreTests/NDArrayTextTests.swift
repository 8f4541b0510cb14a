import LatheCore
import Testing

@Suite struct NDArrayTextTests {
  /// Arrays, and what PyTorch prints of them, with Lathe's names of types.
  static let texts: [(array: NDArray, text: String)] = [
    (
      NDArray([0.5, -2, 3] as [Float]),
      """
      tensor([ 0.5000, -2.0000,  3.0000])
      """
    ),
    (
      NDArray([1, 20, -300] as [Int64]),
      """
      tensor([   1,   20, -300])
      """
    ),
    (
      NDArray([true, false]),
      """
      tensor([ True, False])
      """
    ),
    (
      NDArray([1, 2] as [Float]),
      """
      tensor([1., 2.])
      """
    ),
    (
      NDArray([1, 1e9] as [Float]),
      """
      tensor([1.0000e+00, 1.0000e+09])
      """
    ),
    (
      NDArray([0.00001, 1.5, .nan, -.infinity] as [Float]),
      """
      tensor([1.0000e-05, 1.5000e+00,        nan,       -inf])
      """
    ),
    (
      NDArray([1.25, 2] as [Double]),
      """
      tensor([1.2500, 2.0000], dtype=.f64)
      """
    ),
    (
      NDArray(scalar: .float(2.5), dtype: .f32),
      """
      tensor(2.5000)
      """
    ),
    (
      NDArray([Float]()),
      """
      tensor([])
      """
    ),
    (
      unfailing { try NDArray([Float](), shape: [0, 3]) },
      """
      tensor([], size=(0, 3))
      """
    ),
    (
      NDArray((0..<30).map { Int32($0) }),
      """
      tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,
              18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29], dtype=.i32)
      """
    ),
    (
      unfailing { try NDArray((0..<12).map { Float($0) / 4 }, shape: [2, 3, 2]) },
      """
      tensor([[[0.0000, 0.2500],
               [0.5000, 0.7500],
               [1.0000, 1.2500]],

              [[1.5000, 1.7500],
               [2.0000, 2.2500],
               [2.5000, 2.7500]]])
      """
    ),
    (
      unfailing { try NDArray((0..<1200).map { Float($0) }, shape: [100, 12]) },
      """
      tensor([[0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 9.0000e+00, 1.0000e+01,
               1.1000e+01],
              [1.2000e+01, 1.3000e+01, 1.4000e+01,  ..., 2.1000e+01, 2.2000e+01,
               2.3000e+01],
              [2.4000e+01, 2.5000e+01, 2.6000e+01,  ..., 3.3000e+01, 3.4000e+01,
               3.5000e+01],
              ...,
              [1.1640e+03, 1.1650e+03, 1.1660e+03,  ..., 1.1730e+03, 1.1740e+03,
               1.1750e+03],
              [1.1760e+03, 1.1770e+03, 1.1780e+03,  ..., 1.1850e+03, 1.1860e+03,
               1.1870e+03],
              [1.1880e+03, 1.1890e+03, 1.1900e+03,  ..., 1.1970e+03, 1.1980e+03,
               1.1990e+03]])
      """
    ),
    (
      NDArray((0..<2000).map { Int64($0) }),
      """
      tensor([   0,    1,    2,  ..., 1997, 1998, 1999])
      """
    ),
    (
      unfailing { try NDArray([3, 255] as [UInt8], shape: [2, 1]) },
      """
      tensor([[  3],
              [255]], dtype=.u8)
      """
    ),
  ]

  @Test("arrays read as PyTorch prints them", arguments: texts) func text(_ array: NDArray, _ text: String) {
    #expect("\(array)" == text)
  }

  @Test("options of printing") func options() throws {
    let numbers = NDArray([1.23456, 1000] as [Float])
    var options = PrintOptions(.short)
    #expect(numbers.text(options) == "tensor([   1.23, 1000.00])")
    options.sciMode = true
    #expect(numbers.text(options) == "tensor([1.23e+00, 1.00e+03])")
    #expect(NDArray((0..<1001).map { Int64($0) }).text(PrintOptions(.full)).contains("500"))
    options = PrintOptions()
    options.threshold = 2
    options.edgeItems = 1
    #expect(NDArray([1, 2, 3, 4] as [Int64]).text(options) == "tensor([1,  ..., 4])")
  }

  @Test("single numbers, rows and comparisons") func numbers() throws {
    let array = try NDArray([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    #expect(try array[1, -1] == .float(6))
    #expect(throws: DiagnosticsError.self) { try array[2, 0] }
    #expect(throws: DiagnosticsError.self) { try array.element([1]) }
    #expect(try array.rows(as: Float.self) == [[1, 2, 3], [4, 5, 6]])
    #expect(throws: DiagnosticsError.self) { try array.rows(as: Double.self) }
    #expect(try NDArray([2.5 as Float]).item() == 2.5)
    #expect(throws: DiagnosticsError.self) { try array.item() }
    #expect(array.equal(array.converted(to: .f64)) && !array.equal(NDArray([1 as Float])))
    #expect(!NDArray([Float.nan]).equal(NDArray([Float.nan])))
    #expect(NDArray([1, .infinity] as [Float]).allClose(NDArray([1.000001, .infinity] as [Float])))
    #expect(!NDArray([1, .infinity] as [Float]).allClose(NDArray([1.1, 5] as [Float])))
    #expect(NDArray([Float.nan]).allClose(NDArray([Float.nan]), equalNaN: true))
  }
}
