import Glibc
import Testing
import Torch

/// Work that threads take in parts as they come (parallel.h).
@Suite(.serialized) struct ParallelTests {
  /// Every operator that works in parts, on shapes with more and with fewer parts than threads.
  private func results() -> [[Float]] {
    TorchRuntime.seed(11)
    let x = Tensor.normal([37, 66])
    let few = Tensor.normal([2, 66])
    let weight = Tensor.normal([300, 66])
    let logits = Tensor.normal([29, 500]) * 3
    return [
      x.rmsNorm(Tensor.normal([66]), epsilon: 1e-5), few.rmsNorm(Tensor.normal([66]), epsilon: 1e-5), x.gatedSiLU(),
      x.linear(weight), few.linear(weight),
      logits.temperatures(ofEntropy: 2, in: 0.1...10).to(.float32),
      logits.temperatureProfile(at: [1, 2, 4], perOctave: 1).value,
    ].map(\.floats)
  }

  /// With more threads than processors parts are taken in another order every time.
  @Test func `results do not depend on who takes which part`() {
    let threads = TorchRuntime.threads
    defer { TorchRuntime.threads = threads }
    TorchRuntime.threads = 7
    let first = results()
    for _ in 0..<20 { #expect(results() == first) }
    TorchRuntime.threads = 1
    // Rows are independent; products of matrices may be cut elsewhere.
    let alone = results()
    for operation in [0, 1, 2, 5, 6] { #expect(alone[operation] == first[operation]) }
  }

  /// This process links libtorch as the programs do, and was started like one that is started by hand.
  @Test func `a program has threads sleep soon that wait for others`() {
    #expect(getenv("GOMP_SPINCOUNT") != nil || getenv("OMP_WAIT_POLICY") != nil)
  }
}
