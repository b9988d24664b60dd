import Diagnostics
import TemperatureSettings
import Torch
import Weights

/// The file with the TempNets of a dual encoder, and with that of one side alone.
public enum EmbeddingTempNetFile {
  public static let name = "tempnets.safetensors"

  /// The prefix of a side's tensors, as published: `image_temp_gen` or `text_temp_gen`.
  public static func prefix(_ side: EmbeddingSide) -> String { "\(side.rawValue)_temp_gen" }

  /// Writes the networks of some sides, which share their settings; equal networks give equal bytes.
  ///
  /// - Parameter metadata: further strings for the header; the settings' own names win.
  public static func write(
    _ networks: [(side: EmbeddingSide, network: EmbeddingTemperatureNetwork)], metadata: [String: String] = [:],
    to path: String
  ) throws {
    guard let settings = networks.first?.network.settings else { preconditionFailure("there is no TempNet to write") }
    precondition(networks.allSatisfy { $0.network.settings == settings }, "the sides' TempNets have other settings")
    let tensors = networks.flatMap { side, network in
      network.parameters(under: prefix(side)).map { ($0.name, $0.tensor) }
    }
    let all = metadata.merging(settings.metadata) { _, own in own }
    try SafetensorsWriter.write(tensors, metadata: all, to: path)
  }

  /// Reads the network of a side, weights widened to float32.
  ///
  /// - Throws: `Failure(.missingInput)`, or `.badData` that names the file and the tensor or entry at fault.
  public static func read(_ path: String, side: EmbeddingSide) throws -> EmbeddingTemperatureNetwork {
    let file = try SafetensorsFile(path)
    return try EmbeddingTemperatureNetwork(
      EmbeddingTempNetSettings(metadata: file.metadata, path: path), weights: file, prefix: prefix(side))
  }
}

extension EmbeddingTemperatureNetwork {
  /// Takes weights under their published names after a prefix.
  ///
  /// - Throws: `Failure(.badData)` for a tensor that is missing, of another shape, or not finite.
  public init(_ settings: EmbeddingTempNetSettings, weights file: SafetensorsFile, prefix: String) throws {
    func tensor(_ name: String, _ shape: [Int]?) throws -> Tensor {
      let entry = try file.entry("\(prefix).\(name)", shape: shape)
      return Tensor(try entry.finiteFloats(), shape: entry.shape)
    }
    func layer(_ name: String, _ inputs: Int, _ outputs: Int) throws -> Linear {
      Linear(weight: try tensor("\(name).weight", [outputs, inputs]), bias: try tensor("\(name).bias", [outputs]))
    }
    func pool() throws -> Pool {
      let scaler = try tensor("scaler", nil)
      guard scaler.count == 1 else {
        throw Failure(
          .badData, "has shape \(scaler.shape), expected a single number", at: "\(file.path), \"\(prefix).scaler\"")
      }
      return Pool(scaler: scaler.reshaped([]), prototypes: try tensor("prototypes", [settings.units, settings.width]))
    }
    let hidden = settings.form == .prototypes ? settings.width : settings.units
    self.init(
      settings: settings, projection: try layer("proj", settings.width, hidden),
      pool: settings.form == .prototypes ? try pool() : nil, last: try layer("linear_1", settings.units, 1))
  }
}
