import Glibc
import Torch

/// Random tensors that depend on a seed alone: libtorch's own generator is shared by tests that run at the same time.
struct Noise {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  /// The next uniform number in [0, 1), by SplitMix64 (Steele et al. 2014).
  private mutating func next() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
  }

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
