import Artifacts
import Configuration
import Diagnostics
import Files
import ModelFiles
import TemperatureSettings

/// The weights of a published TempNet, and the settings that its file lacks.
public struct ImportConfiguration: StageConfiguration {
  /// The inputs of the published variants.
  public enum Input: String, CaseIterable, Sendable {
    case logits, centred

    public var ofSettings: TempNetSettings.Input {
      switch self {
      case .logits: .logits
      case .centred: .centred
      }
    }
  }

  /// A safetensors file, or a model's folder in Hugging Face's form with a TempNet in it.
  public var weights: String
  /// The input of a TempNet of logits; nil for a TempNet of embeddings.
  public var input: Input?
  /// The side of a TempNet of embeddings; nil for a TempNet of logits.
  public var side: EmbeddingSide?
  public var tauMin: Double
  public var tauMax: Double
  /// Nil where the weights have to state it.
  public var budget: StatedBudget?

  public init(reading reader: inout ConfigurationReader) throws {
    weights = try reader.value(
      "weights", as: .path, default: nil, identity: false,
      help: "a safetensors file, or a folder in Hugging Face's form with a TempNet")
    side = try reader.value(
      "side", as: .optional(.choice()), default: .some(nil),
      help: "of a contrastive model's TempNet, image_temp_gen or text_temp_gen: its side, in place of input")
    if side == nil { reader.leaveOut("side") }
    input =
      try side != nil && !reader.isGiven("input")
      ? nil
      : reader.choice(
        "input", help: "logits as they are (GPT-2, LLaMA-1) or minus their row's maximum (LLaMA-2, generation)")
    tauMin = try reader.number("tau_min", in: .positive, help: "its lowest temperature, which no file states")
    tauMax = try reader.number("tau_max", in: .positive, help: "its highest temperature, likewise")
    budget = try reader.optionalBudget(
      help: "the robustness it was trained with, in nats; only a file written by tempnet states it")
    if side != nil && input != nil {
      throw reader.failure("input", with: ["side"], "is for TempNets of logits, which have no side")
    }
    // A list of the keys has no values to compare.
    if reader.isGiven("tau_max") && tauMin >= tauMax {
      throw reader.failure("tau_max", with: ["tau_min"], "must be above tau_min")
    }
  }
}

/// Makes a `tempnet` artifact from a published TempNet.
public enum Import: StageDescription {
  public static let name = "import"
  public static let summary = "Makes an artifact of a TempNet that the published code trained."
  public static let version = 1
  public static let output = ArtifactKind.tempnet
  public static let inputs: [StageInput] = []
  public typealias Configuration = ImportConfiguration

  public static func rawInputs(_ configuration: ImportConfiguration) throws -> [RawInput] {
    guard configuration.side == nil else {
      guard try Files.status(configuration.weights)?.isFolder == false else {
        throw Failure(.missingInput, "there is no such file", at: configuration.weights)
      }
      return [RawInput("weights/\(Files.name(of: configuration.weights))", path: configuration.weights)]
    }
    return try TempNetFiles(configuration.weights).paths.map { RawInput("weights/\(Files.name(of: $0))", path: $0) }
  }
}

/// The files of a published TempNet.
public struct TempNetFiles: Sendable {
  public let paths: [String]

  /// - Throws: `Failure` with `.missingInput`, or `.badData` for a folder without a TempNet.
  public init(_ path: String) throws {
    guard let status = try Files.status(path) else { throw Failure.missing("file", at: path) }
    guard status.isFolder else {
      paths = [path]
      return
    }
    // The published conversion's name for the file beside the model's.
    let beside = "\(path)/\(TempNetFile.name)"
    if Files.exists(beside) {
      paths = [beside]
      return
    }
    let folder = try HuggingFaceFolder(path)
    guard let index = folder.index else {
      paths = folder.weights.map { "\(path)/\($0)" }
      return
    }
    let prefix = try PublishedTempNet.prefix(among: index.map(\.tensor), at: folder.indexPath)
    let names = Set(TempNetTensors.all.map { prefix + $0 })
    let files = index.filter { names.contains($0.tensor) }.map(\.file)
    paths = Set(files).sorted().map { "\(path)/\($0)" }
  }
}

/// A published TempNet within a file.
public enum PublishedTempNet {
  /// The prefix of ``TempNetTensors`` in a file that may also hold a model: empty, or for example `tempnet.`.
  ///
  /// - Throws: `Failure(.badData)` where there is no TempNet, or more than one.
  public static func prefix(among names: [String], at place: String) throws -> String {
    let all = Set(names)
    let first = TempNetTensors.weight(of: TempNetTensors.transformation)
    let second = TempNetTensors.weight(of: TempNetTensors.projection)
    let prefixes = names.filter { $0.hasSuffix(first) }.map { String($0.dropLast(first.count)) }
      .filter { ($0.isEmpty || $0.hasSuffix(".")) && all.contains($0 + second) }
    guard prefixes.count == 1 else {
      let found = prefixes.isEmpty ? "none" : prefixes.map { "\($0)*" }.joined(separator: ", ")
      throw Failure(
        .badData, "expected the tensors of one TempNet (\(first), \(second) and so on), found \(found)",
        at: place)
    }
    return prefixes[0]
  }
}
