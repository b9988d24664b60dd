import Diagnostics
import StageDescriptions
import TempNet
import TemperatureSettings
import Weights

/// The TempNet of one side of a published contrastive model, `image_temp_gen.*` or `text_temp_gen.*`.
struct EmbeddingImport {
  let network: EmbeddingTemperatureNetwork
  /// The prefix of its tensors in the file of origin.
  let prefix: String

  /// - Throws: `Failure(.badData)` for a file without such a TempNet, `.badConfiguration` where the configuration says too
  ///   little, or other than the file.
  init(_ configuration: ImportConfiguration, side: EmbeddingSide) throws {
    let file = try SafetensorsFile(configuration.weights)
    let first = try Self.first(file, side)
    prefix = String(first.name.dropLast(".proj.weight".count))
    network = try EmbeddingTemperatureNetwork(
      Self.settings(configuration, file, prefix, width: first.width), weights: file, prefix: prefix)
  }

  private static func first(_ file: SafetensorsFile, _ side: EmbeddingSide) throws -> (name: String, width: Int) {
    let name = "\(EmbeddingTempNetFile.prefix(side)).proj.weight"
    let found = file.entries.filter { $0.name == name || $0.name.hasSuffix(".\(name)") }
    guard found.count == 1 else {
      throw Failure(
        .badData, "expected the tensors of one TempNet of the side \(side) (\(name) and so on), found \(found.count)",
        at: file.path)
    }
    guard found[0].shape.count == 2, found[0].shape[1] > 0 else {
      throw Failure(.badData, "has shape \(found[0].shape), expected a matrix", at: found[0].place)
    }
    return (found[0].name, found[0].shape[1])
  }

  private static func settings(
    _ configuration: ImportConfiguration, _ file: SafetensorsFile, _ prefix: String, width: Int
  ) throws -> EmbeddingTempNetSettings {
    let own =
      try file.metadata["format_version"] == nil
      ? nil : EmbeddingTempNetSettings(metadata: file.metadata, path: file.path)
    let rho = try rho(configuration, own)
    if let own {
      try refuse("tau_min", configuration.tauMin, own.tauMin, file.path)
      try refuse("tau_max", configuration.tauMax, own.tauMax, file.path)
      try refuse("rho", rho, own.rho, file.path)
      return own
    }
    let prototypes = try file.entry("\(prefix).prototypes")
    guard prototypes.shape.count == 2, prototypes.shape[0] > 0 else {
      throw Failure(.badData, "has shape \(prototypes.shape), expected a row for each prototype", at: prototypes.place)
    }
    return EmbeddingTempNetSettings(
      width: width, units: prototypes.shape[0], tauMin: configuration.tauMin, tauMax: configuration.tauMax, rho: rho)
  }

  private static func refuse(_ key: String, _ given: Double, _ stated: Double, _ path: String) throws {
    guard abs(given - stated) > 1e-9 else { return }
    throw Failure(.badConfiguration, "is \(given), but \(path) states \(stated)", at: key)
  }

  private static func rho(_ configuration: ImportConfiguration, _ own: EmbeddingTempNetSettings?) throws -> Double {
    switch configuration.budget {
    case .rho(let rho): return rho
    case .entropy:
      throw Failure(
        .badConfiguration, "stands for ln(candidates) - rho, and the weights state no number of candidates; give rho",
        at: "entropy")
    case nil:
      if let own { return own.rho }
      throw Failure(.badConfiguration, "has to be given: the weights do not state it", at: "rho")
    }
  }
}
