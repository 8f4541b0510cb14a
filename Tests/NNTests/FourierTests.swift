import Lathe
import TestSupport
import Testing

/// What the goldens of `torch.fft` do not say.
@Suite("Fourier transforms and complex numbers")
struct FourierTests {
  @Test("a transform and its inverse give what was there", arguments: [1, 7, 64, 100, 269, 521])
  func inverse(length: Int) throws {
    let type = TensorType(.f64, [2, length, 2])
    let graph = try trace(type) { z in
      let real = Complex.real(z)
      return [
        FFT.ifft(FFT.fft(z)), FFT.ifft(FFT.fft(z, norm: .forward), norm: .forward),
        FFT.irfft(FFT.rfft(real), n: length), FFT.ifftshift(FFT.fftshift(z)),
        (Complex.abs(FFT.fft(z, norm: .ortho)).square().sum() - Complex.abs(z).square().sum()),
      ]
    }
    let z = try makeTensor([2, length, 2], dtype: .f64, generator: Generator(seed: 4))
    let results = try ReferenceEvaluator.run(graph, inputs: ["input": z]).outputs
    let real = try NDArray(stride(from: 0, to: z.count, by: 2).map { z.doubles[$0] }, shape: [2, length])
    for name in ["output", "output1", "output3"] {
      try assertClose(try #require(results[name]), z, rtol: 1e-10, atol: 1e-10)
    }
    try assertClose(try #require(results["output2"]), real, rtol: 1e-10, atol: 1e-10)
    #expect(abs(try #require(results["output4"]).item()) < 1e-8 * Double(length))
  }

  @Test("what has no transform is a fault with its numbers")
  func faults() {
    func message(_ type: TensorType, _ body: @escaping (Tensor) -> Tensor) -> String {
      do throws(DiagnosticsError) {
        _ = try trace(type) { body($0) }
        return ""
      } catch {
        return error.diagnostics[0].message
      }
    }
    #expect(message(.f32(4, 3)) { FFT.fft($0) }.contains("holds no pairs"))
    #expect(message(.i64(4, 2)) { FFT.fft($0) }.contains("needs floats"))
    #expect(message(.f32(4, 2)) { FFT.fft($0, n: 0) }.contains("a transform of 0 numbers"))
    #expect(message(.f32(4, 2)) { FFT.fft($0, dim: 1) }.contains("dim 1 is outside"))
    #expect(message(.f32("N", 2)) { FFT.fft($0) }.contains("needs the size of axis 0"))
    #expect(message(.f32(4, 4, 2)) { FFT.fftn($0, dim: [0, 0]) }.contains("are not different axes"))
    #expect(message(.f32(4, 4, 2)) { FFT.fft2($0, s: [1]) }.contains("1 lengths are given for 2 axes"))
    #expect(message(.f32(4)) { Complex.real($0) }.contains("holds no pairs"))
    #expect(message(.f32(4)) { complex($0, $0.convert(to: .f64)) }.contains("the parts are"))
    #expect(message(.f32(4)) { FFT.fftfreq(0, in: $0.builder) }.contains("n is 0"))
    #expect(message(.f32(4)) { $0.legendrePolynomialP(5000) }.contains("the degree 5000"))
    #expect(message(.f32(4)) { $0.multigammaln(0) }.contains("p is 0"))
  }
}
