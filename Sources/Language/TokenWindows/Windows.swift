import Diagnostics
import Training

/// The order in which training reads a sequence: a pure function of (seed, step).
///
/// An epoch cuts the sequence into windows that do not overlap and reads each once, in a random order. The beginning of its
/// first window is drawn anew for each epoch, so that tokens meet other contexts. A resumed run needs no memory of earlier
/// steps, and the order of windows does not depend on the batch size.
public struct TrainingWindows<Sequence: TokenSequence>: Sendable {
  public let sequence: Sequence
  public let context: Int
  /// Windows per optimiser step, all micro-batches together.
  public let windowsPerStep: Int
  private let order: EpochOrder
  private let offsets: Int
  private let seed: UInt64

  /// - Throws: `.badData` when the sequence is shorter than one window and the token after it.
  public init(_ sequence: Sequence, context: Int, windowsPerStep: Int, seed: Int) throws {
    guard sequence.count > context else {
      throw Failure(
        .badData, "the training split has \(sequence.count) tokens; a window of \(context) needs \(context + 1)")
    }
    self.sequence = sequence
    self.context = context
    self.windowsPerStep = windowsPerStep
    self.seed = UInt64(seed)
    let windows = max(1, (sequence.count - context) / context)
    order = EpochOrder(count: windows, seed: self.seed)
    offsets = min(context, sequence.count - windows * context)
  }

  /// The first tokens of a step's windows, in the order in which they are read.
  public func starts(step: Int) -> [Int] {
    order.places(step * windowsPerStep..<(step + 1) * windowsPerStep).map { place in
      offset(epoch: place.epoch) + place.item * context
    }
  }

  /// The step's windows in micro-batches of at most `rows` windows.
  public func batches(step: Int, rows: Int) throws -> [WindowBatch] {
    try WindowBatch.batches(sequence, starts: starts(step: step), context: context, rows: rows)
  }

  /// Some of the step's windows, by their places in its order.
  public func batch(step: Int, rows: Range<Int>) throws -> WindowBatch {
    try WindowBatch(sequence, starts: Array(starts(step: step)[rows]), context: context)
  }

  private func offset(epoch: Int) -> Int {
    Int(Seeds.derived(seed, .offset, index: epoch) % UInt64(offsets))
  }
}

/// Fixed windows that cover a whole sequence: every token that has a predecessor in its document is predicted once.
public struct CoveringWindows<Sequence: TokenSequence>: Sendable {
  public let sequence: Sequence
  public let context: Int
  public let starts: [Int]

  /// - Throws: `.badData` when the sequence has fewer than two tokens.
  public init(_ sequence: Sequence, context: Int) throws {
    guard sequence.count > 1 else {
      throw Failure(.badData, "the validation split has \(sequence.count) tokens; two are needed to predict one")
    }
    self.sequence = sequence
    self.context = context
    starts = Array(stride(from: 0, to: sequence.count - 1, by: context))
  }

  public func batch(_ range: Range<Int>) throws -> WindowBatch {
    try WindowBatch(sequence, starts: Array(starts[range]), context: context)
  }

  /// Ranges of windows, `rows` at a time.
  public func ranges(rows: Int) -> [Range<Int>] {
    stride(from: 0, to: starts.count, by: rows).map { $0..<min($0 + rows, starts.count) }
  }
}

extension WindowBatch {
  static func batches(
    _ sequence: some TokenSequence, starts: [Int], context: Int, rows: Int
  ) throws -> [WindowBatch] {
    try stride(from: 0, to: starts.count, by: rows).map { first in
      try WindowBatch(sequence, starts: Array(starts[first..<min(first + rows, starts.count)]), context: context)
    }
  }
}
