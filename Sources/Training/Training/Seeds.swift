import RandomNumbers
import Torch

/// The purpose of random numbers. Each purpose draws from a stream of its own, so that one may draw more without changing
/// the numbers of another.
public enum RandomStream: UInt64, Sendable {
  case initialisation = 1
  case order
  case offset
  case dropout
  /// The choice among an item's versions.
  case choice
  /// What a step sees of an item.
  case augmentation
}

/// Random numbers that depend on `(seed, stream, index)` alone, not on earlier draws, so that a resumed run equals an
/// uninterrupted one.
public enum Seeds {
  /// A seed for one piece of work.
  public static func derived(_ seed: UInt64, _ stream: RandomStream, index: Int) -> UInt64 {
    SplitMix64.mixed(seed, stream.rawValue, UInt64(index))
  }

  /// Seeds libtorch's generators for one piece of work.
  public static func seedGenerators(_ seed: UInt64, _ stream: RandomStream, index: Int) {
    TorchRuntime.seed(seed, stream: stream.rawValue, index: UInt64(index))
  }

  /// Seeds libtorch's generators for one micro-batch.
  static func seedGenerators(_ seed: UInt64, step: Int, microBatch: Int) {
    TorchRuntime.seed(
      derived(seed, .dropout, index: step), stream: RandomStream.dropout.rawValue, index: UInt64(microBatch))
  }
}
