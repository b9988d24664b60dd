import Diagnostics
import JSON
import LanguageModels
import ModelDescriptions
import StageDescriptions
import TempNet
import TemperatureSettings
import Tokenization

/// The work of the stage, known before the model runs.
struct FeaturesPlan {
  private let splits: [FeatureExtraction]
  private let grid: TemperatureGrid
  private let checkpointInterval: Int
  private let window: Int
  private let stride: Int

  /// - Throws: `.badConfiguration` for a window that the model cannot read, `.badData` for a split without tokens.
  init(_ configuration: FeaturesConfiguration, _ model: ModelConfiguration, _ tokens: TokensArtifact) throws {
    let window = configuration.window ?? model.context
    guard window <= model.context else {
      throw Failure(.badConfiguration, "window is \(window), but the model's context is \(model.context)", at: "window")
    }
    stride = configuration.stride ?? window
    guard stride <= window else {
      throw Failure(.badConfiguration, "stride is \(stride), which exceeds the window of \(window)", at: "stride")
    }
    let grid = TemperatureGrid(
      covering: configuration.tauMin...configuration.tauMax, nodesPerOctave: configuration.nodesPerOctave)
    splits = [(FeaturesArtifact.Part.train, configuration.trainTokens), (.validation, configuration.validationTokens)]
      .map {
        FeatureExtraction($0, of: tokens, length: window, limit: $1, grid: grid, configuration)
      }
    self.grid = grid
    self.window = window
    checkpointInterval = configuration.checkpointInterval
    for work in splits where work.rows == 0 {
      throw Failure(.badData, "no token of the \(work.part.rawValue) split has a label", at: tokens.artifact.path)
    }
  }

  /// The pass of a model over the splits.
  func pass(_ model: LanguageModel) -> FeaturePass {
    let mean = MeanLogit(weight: model.headFactor)
    return FeaturePass(
      parts: splits.map { $0.work(model, mean: mean) }, unit: FeatureKind.tokens.rawValue,
      checkpointInterval: checkpointInterval)
  }

  func summary(_ model: ModelConfiguration) -> JSON {
    [
      "vocabulary": .integer(model.vocabulary), "width": .integer(model.width), "window": .integer(window),
      "stride": .integer(stride),
      "rows": .object(JSONObject(splits.map { ($0.part.rawValue, .integer($0.rows)) })),
      "temperatures": .integer(grid.count),
    ]
  }
}
