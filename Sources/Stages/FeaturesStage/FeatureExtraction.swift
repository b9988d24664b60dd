import Diagnostics
import LanguageModels
import StageDescriptions
import TempNet
import TemperatureSettings
import TokenWindows
import Tokenization
import Torch

/// The work on the tokens of one split.
struct FeatureExtraction {
  let part: FeaturesArtifact.Part
  private let windows: SlidingWindows<TokenSplit>
  private let batches: [Range<Int>]
  /// How many rows there are before each batch, and after the last.
  private let firstRows: [Int]
  fileprivate let grid: TemperatureGrid

  init(
    _ part: FeaturesArtifact.Part, of tokens: TokensArtifact, length: Int, limit: Int, grid: TemperatureGrid,
    _ configuration: FeaturesConfiguration
  ) {
    self.part = part
    self.grid = grid
    let windows = SlidingWindows(
      tokens.split(part.split), length: length, stride: configuration.stride ?? length, limit: limit)
    batches = stride(from: 0, to: windows.count, by: configuration.batch).map { first in
      first..<min(first + configuration.batch, windows.count)
    }
    firstRows = batches.reduce(into: [0]) { sums, batch in
      sums.append(sums.last! + batch.reduce(0) { $0 + windows.rows($1) })
    }
    self.windows = windows
  }

  var batchCount: Int { batches.count }

  /// How many rows all batches give together.
  var rows: Int { firstRows.last! }

  func rows(before batch: Int) -> Int { firstRows[batch] }

  /// With the model that is to read them.
  func work(_ model: LanguageModel, mean: MeanLogit) -> TokenPart { TokenPart(self, model, mean) }

  fileprivate func measure(
    _ index: Int, _ model: LanguageModel
  ) throws -> (hidden: Tensor, labels: Tensor, logits: ProfiledLogits) {
    let batch = try windows.batch(batches[index])
    let counted = CountedWindows(batch, places: windows.rowPlaces(batch, of: batches[index]), device: model.device)
    // As the product with the head takes them, so that the stored hidden states agree with what is measured of the logits.
    let hidden = model.hiddenStates(of: counted).to(model.headFactor.dtype).to(.float32)
    guard hidden.allFinite().item == 1 else {
      let start = windows.start(batches[index].first!)
      throw Failure(
        .badData, "the model's hidden states of the \(part.rawValue) split are not all finite, from token \(start) on")
    }
    let logits = ProfiledLogits.compute(hidden: hidden, weight: model.headFactor, labels: counted.labels, grid: grid)
    return (hidden, counted.labels, logits)
  }
}

/// The tokens of one split and the model that reads them.
struct TokenPart: FeaturePart {
  private let extraction: FeatureExtraction
  private let model: LanguageModel
  /// Of the model's logits.
  private let mean: MeanLogit

  fileprivate init(_ extraction: FeatureExtraction, _ model: LanguageModel, _ mean: MeanLogit) {
    (self.extraction, self.model, self.mean) = (extraction, model, mean)
  }

  var part: FeaturesArtifact.Part { extraction.part }
  var rows: Int { extraction.rows }
  var batchCount: Int { extraction.batchCount }
  func rows(before batch: Int) -> Int { extraction.rows(before: batch) }

  func table(_ path: String, isContinued: Bool) throws -> FeatureTable {
    try FeatureTable(
      path, of: .tokens, rows: rows, width: model.configuration.width, grid: extraction.grid, isContinued: isContinued)
  }

  /// - Throws: `.badData` when the model gives anything but finite numbers.
  func perform(_ batch: Int, into table: FeatureTable) throws {
    let (hidden, labels, logits) = try extraction.measure(batch, model)
    try table.write(
      hidden: hidden, labels: labels, logits: logits, mean: mean(hidden), vocabulary: model.configuration.vocabulary,
      at: rows(before: batch))
  }
}

extension FeaturesArtifact.Part {
  var split: Split {
    switch self {
    case .train: .train
    case .validation: .validation
    }
  }
}
