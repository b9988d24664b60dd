import Glibc
import RandomNumbers
import Torch

/// Random tensors that depend on a seed alone: libtorch's own generator is shared by tests that run at the same time.
struct Noise {
  private var generator: SplitMix64

  init(_ seed: UInt64) { generator = SplitMix64(seed: seed) }

  /// The next uniform number in [0, 1).
  private mutating func next() -> Double { Double(generator.next() >> 11) * 0x1p-53 }

  mutating func uniform(_ shape: [Int], low: Double, high: Double) -> Tensor {
    Tensor((0..<shape.reduce(1, *)).map { _ in Float(low + (high - low) * next()) }, shape: shape)
  }

  /// Standard normal numbers, by Box and Muller's method.
  mutating func normal(_ shape: [Int]) -> Tensor {
    let numbers = (0..<shape.reduce(1, *)).map { _ in
      Float(sqrt(-2 * log(1 - next())) * cos(2 * .pi * next()))
    }
    return Tensor(numbers, shape: shape)
  }

  /// Class labels below `count`.
  mutating func labels(_ rows: Int, below count: Int) -> Tensor {
    Tensor((0..<rows).map { _ in Int(next() * Double(count)) })
  }
}
