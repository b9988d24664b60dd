import Artifacts
import Diagnostics
import Glibc
import StageDescriptions
import TempNet
import Weights

/// Makes a `tempnet` artifact of weights that the published code wrote, with the settings that those lack.
public enum ImportStage {
  private static let weightsName = "tempnet.safetensors"

  public static func run(_ request: StageRequest<Import>) throws -> Artifact {
    let configuration = request.configuration
    let weights = try PublishedWeights(TempNetFiles(configuration.weights).paths)
    let network = try TemperatureNetwork(settings(configuration, weights)) { try weights.entry($0, shape: $1) }

    let builder = try ArtifactBuilder(output: request.output, identity: request.identity([:]))
    if let artifact = builder.alreadyDone { return artifact }
    try network.save(builder.path(for: weightsName))
    return try builder.publish(
      summary: [
        "rho": .number(network.settings.rho), "entropy": .number(network.settings.entropy),
        "tensors": .string("\(weights.prefix)*"),
      ])
  }

  private static func settings(
    _ configuration: ImportConfiguration, _ weights: PublishedWeights
  ) throws -> TempNetSettings {
    let first = try weights.entry("proj.0.weight", shape: nil)
    guard first.shape.count == 2, first.shape[0] > 0, first.shape[1] > 1 else {
      throw Failure(
        .badData, "has shape \(first.shape), expected a row of logits for each hidden unit", at: first.place)
    }
    let vocabulary = first.shape[1]
    let settings = TempNetSettings(
      vocabulary: vocabulary, hidden: first.shape[0], tauMin: configuration.tauMin, tauMax: configuration.tauMax,
      rho: try rho(configuration, vocabulary: vocabulary),
      input: TempNetSettings.Input(rawValue: configuration.input.rawValue)!)
    try weights.check(agreesWith: settings)
    return settings
  }

  private static func rho(_ configuration: ImportConfiguration, vocabulary: Int) throws -> Double {
    if let entropy = configuration.entropy {
      return try RobustLoss.rho(entropy: entropy, vocabulary: vocabulary, at: "entropy")
    }
    guard let rho = configuration.rho else {
      throw Failure(.badConfiguration, "or entropy has to be given: the weights do not say it", at: "rho")
    }
    try RobustLoss.check(rho: rho, vocabulary: vocabulary, at: "rho")
    return rho
  }
}

/// The tensors of one TempNet within files that may hold a whole model.
private struct PublishedWeights {
  /// What stands before the published names: nothing, or such as `tempnet.`.
  let prefix: String
  private let files: [SafetensorsFile]

  private static let telling = "proj.0.weight"

  /// - Throws: `Failure(.badData)` where there is no TempNet, or more than one.
  init(_ paths: [String]) throws {
    files = try paths.map { try SafetensorsFile($0) }
    let names = files.flatMap { $0.entries.map(\.name) }
    let prefixes = names.filter { $0.hasSuffix(Self.telling) }.map { String($0.dropLast(Self.telling.count)) }
      .filter { prefix in (prefix.isEmpty || prefix.hasSuffix(".")) && names.contains("\(prefix)proj.3.weight") }
    guard prefixes.count == 1 else {
      let found = prefixes.isEmpty ? "none" : prefixes.map { "\($0)*" }.joined(separator: ", ")
      throw Failure(
        .badData, "expected the tensors of one TempNet (\(Self.telling), proj.3.weight and so on), found \(found)",
        at: paths.joined(separator: ", "))
    }
    prefix = prefixes[0]
  }

  func entry(_ name: String, shape: [Int]?) throws -> SafetensorsEntry {
    let full = prefix + name
    let file = files.first { $0[full] != nil } ?? files[0]
    return try shape.map { try file.entry(full, shape: $0) } ?? file.entry(full)
  }

  /// A file of ours says what a published one does not; then nothing else may be said.
  func check(agreesWith settings: TempNetSettings) throws {
    for file in files where file.metadata["format_version"] != nil {
      let own = try TempNetSettings(metadata: file.metadata, path: file.path)
      guard own.bounds == settings.bounds, own.input == settings.input, own.rho == settings.rho else {
        throw Failure(
          .badData,
          "states input \(own.input.rawValue), temperatures \(own.tauMin) to \(own.tauMax) and rho \(own.rho), which the "
            + "configuration contradicts", at: file.path)
      }
    }
  }
}
