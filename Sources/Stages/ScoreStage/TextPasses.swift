import Diagnostics
import LanguageModels
import TempNet
import TokenWindows
import Tokenization
import Torch

/// A frozen model's passes over windows of a text.
public struct TextPasses: TextRecordPasses {
  private let model: LanguageModel
  private let recorder: TokenRecorder
  private let split: TokenSplit
  private let endOfText: Int32
  public let windows: ScoringWindows
  private let batches: [[Int]]
  public let offsets: [Int]

  /// - Parameters:
  ///   - endOfText: the id that closes documents.
  ///   - indices: of the windows that are scored; nil for all.
  ///   - batchTokens: the number of tokens in a pass.
  public init(
    _ model: LanguageModel, _ recorder: TokenRecorder, split: TokenSplit, endOfText: Int32, windows: ScoringWindows,
    indices: [Int]? = nil, batchTokens: Int
  ) {
    self.model = model
    self.recorder = recorder
    self.split = split
    self.endOfText = endOfText
    self.windows = windows
    let (indices, size) = (indices ?? Array(0..<windows.count), max(1, batchTokens / windows.context))
    batches = stride(from: 0, to: indices.count, by: size).map { Array(indices[$0..<min($0 + size, indices.count)]) }
    offsets = batches.reduce(into: [0]) { offsets, batch in
      offsets.append(offsets.last! + batch.reduce(0) { $0 + windows[$1].scored.count })
    }
  }

  public func records(ofPass index: Int) throws -> TokenRecords {
    try withoutGradients {
      let batch = try ShiftedWindowBatch(split, batches[index].map { windows[$0] }, endOfText: endOfText)
      let counted = CountedWindows(batch, device: model.device)
      return try recorder.finite(model.hiddenStates(of: counted), labels: counted.labels)
    }
  }

  /// The index in the split of the token of each row of a pass.
  func positions(ofPass index: Int) -> [Int] { batches[index].flatMap { windows[$0].scored } }

  public func documents(ofPass index: Int) -> [Int] {
    // Documents lie one after the other.
    let starts = split.documents.map(\.firstToken)
    return positions(ofPass: index).map { Self.index(of: $0, in: starts) }
  }

  /// The index of the last start that does not exceed a position.
  private static func index(of position: Int, in starts: [Int]) -> Int {
    var (low, high) = (0, starts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= position { low = middle } else { high = middle }
    }
    return low
  }
}

extension TokenRecorder {
  /// - Throws: `.badData` when hidden states are not finite; weights are, or the model would not have been loaded.
  func finite(_ hidden: Tensor, labels: Tensor) throws -> TokenRecords {
    guard hidden.allFinite().item == 1 else {
      throw Failure(.badData, "the model's hidden states of the text to score are not all finite")
    }
    return self(hidden: hidden, labels: labels)
  }
}
