import RandomNumbers
import Torch

/// What random numbers are for. Each purpose draws from a stream of its own, so that changing how much one of them
/// draws leaves the others as they were.
public enum RandomStream: UInt64, Sendable {
  case initialisation = 1
  case order
  case offset
  case dropout
}

/// Random numbers that depend on `(seed, stream, index)` and on nothing drawn before: a run that is resumed repeats one
/// that never stopped.
public enum Seeds {
  /// A seed for one piece of work.
  public static func derived(_ seed: UInt64, _ stream: RandomStream, index: Int) -> UInt64 {
    SplitMix64.mixed(SplitMix64.mixed(SplitMix64.mixed(seed) ^ stream.rawValue) ^ UInt64(index))
  }

  /// Seeds libtorch's generators for one piece of work.
  public static func seedMachine(_ seed: UInt64, _ stream: RandomStream, index: Int) {
    TorchRuntime.seed(seed, stream: stream.rawValue, index: UInt64(index))
  }

  /// Seeds libtorch's generators for what one micro-batch draws.
  static func seedMachine(_ seed: UInt64, step: Int, microBatch: Int) {
    TorchRuntime.seed(
      derived(seed, .dropout, index: step), stream: RandomStream.dropout.rawValue, index: UInt64(microBatch))
  }
}
