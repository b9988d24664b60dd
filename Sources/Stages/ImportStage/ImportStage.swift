import Artifacts
import Diagnostics
import StageDescriptions
import TempNet
import TemperatureSettings
import Weights

/// Makes a `tempnet` artifact from weights of the published code; the configuration gives the settings that they lack.
public enum ImportStage {
  public static func run(_ request: StageRequest<Import>) throws -> Artifact {
    let configuration = request.configuration
    return try request.make { builder in
      if let side = configuration.side {
        let found = try EmbeddingImport(configuration, side: side)
        try EmbeddingTempNetFile.write([(side, found.network)], to: builder.path(for: EmbeddingTempNetFile.name))
        return [
          "side": .string(side.rawValue), "rho": .number(found.network.settings.rho),
          "tensors": .string("\(found.prefix).*"),
        ]
      }
      let weights = try PublishedWeights(TempNetFiles(configuration.weights).paths)
      let network = try TemperatureNetwork(settings(configuration, weights)) { try weights.entry($0, shape: $1) }
      try network.save(builder.path(for: TempNetFile.name))
      return [
        "rho": .number(network.settings.rho), "entropy": .number(network.settings.targetEntropy),
        "tensors": .string("\(weights.prefix)*"),
      ]
    }
  }

  private static func settings(
    _ configuration: ImportConfiguration, _ weights: PublishedWeights
  ) throws -> TempNetSettings {
    let first = try weights.entry(TempNetTensors.weight(of: TempNetTensors.transformation), shape: nil)
    guard first.shape.count == 2, first.shape[0] > 0, first.shape[1] > 1 else {
      throw Failure(
        .badData, "has shape \(first.shape), expected a row of logits for each hidden unit", at: first.place)
    }
    let (vocabulary, own) = (first.shape[1], try weights.ownSettings)
    var settings = TempNetSettings(
      vocabulary: vocabulary, hidden: first.shape[0], tauMin: configuration.tauMin, tauMax: configuration.tauMax,
      rho: try rho(configuration, own?.settings, vocabulary: vocabulary),
      input: configuration.input!.ofSettings)
    if let own {
      try check(settings, agreeWith: own.settings, of: own.path)
      settings.normalisationEpsilon = own.settings.normalisationEpsilon
    }
    return settings
  }

  /// A file of ours says what a published one does not; then nothing else may be said.
  private static func check(_ settings: TempNetSettings, agreeWith own: TempNetSettings, of path: String) throws {
    func refuse(_ key: String, _ said: some CustomStringConvertible, _ stated: some CustomStringConvertible) throws {
      guard said.description != stated.description else { return }
      throw Failure(.badConfiguration, "is \(said), but \(path) states \(stated)", at: key)
    }
    try refuse("tau_min", settings.tauMin, own.tauMin)
    try refuse("tau_max", settings.tauMax, own.tauMax)
    try refuse("input", settings.input.rawValue, own.input.rawValue)
    if abs(settings.rho - own.rho) > 1e-9 { try refuse("rho", settings.rho, own.rho) }
  }

  private static func rho(
    _ configuration: ImportConfiguration, _ own: TempNetSettings?, vocabulary: Int
  ) throws -> Double {
    if let stated = configuration.budget ?? own.map({ .rho($0.rho) }) {
      return try stated.budget(alternatives: vocabulary).rho
    }
    throw Failure(.badConfiguration, "give rho or entropy; the weights state neither", at: "rho")
  }
}

/// The tensors of one TempNet within files that may hold a whole model.
private struct PublishedWeights {
  /// The prefix of the published names: empty, or for example `tempnet.`.
  let prefix: String
  private let files: [SafetensorsFile]

  /// - Throws: `Failure(.badData)` where there is no TempNet, or more than one.
  init(_ paths: [String]) throws {
    files = try paths.map { try SafetensorsFile($0) }
    prefix = try PublishedTempNet.prefix(
      among: files.flatMap { $0.entries.map(\.name) }, at: paths.joined(separator: ", "))
  }

  func entry(_ name: String, shape: [Int]?) throws -> SafetensorsEntry {
    let full = prefix + name
    let file = files.first { $0[full] != nil } ?? files[0]
    return try shape.map { try file.entry(full, shape: $0) } ?? file.entry(full)
  }

  /// The settings that a file of ours states, and the file; nil for published files.
  var ownSettings: (settings: TempNetSettings, path: String)? {
    get throws {
      try files.first { $0.metadata["format_version"] != nil }.map {
        (try TempNetSettings(metadata: $0.metadata, path: $0.path), $0.path)
      }
    }
  }
}
