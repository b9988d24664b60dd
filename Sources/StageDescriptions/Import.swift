import Artifacts
import Configuration
import Diagnostics
import ModelFiles

/// A TempNet of the published code, and what its file does not say.
public struct ImportConfiguration: StageConfiguration {
  /// What the published variants show their TempNets.
  public enum Input: String, CaseIterable, Sendable { case logits, centred }

  /// A safetensors file, or a model's folder in Hugging Face's form with a TempNet in it.
  public var weights: String
  public var input: Input
  public var tauMin: Double
  public var tauMax: Double
  public var rho: Double?
  /// The entropy that stands for rho, in nats.
  public var entropy: Double?

  public init(reading reader: inout ConfigurationReader) throws {
    weights = try reader.value(
      "weights", as: .path, default: nil, identity: false,
      help: "a safetensors file, or a folder in Hugging Face's form with a TempNet")
    input = try reader.choice(
      "input", help: "logits as they are (GPT-2, LLaMA-1) or minus their row's maximum (LLaMA-2, generation)")
    tauMin = try reader.number("tau_min", in: .positive, help: "its lowest temperature, which no file states")
    tauMax = try reader.number("tau_max", in: .positive, help: "its highest temperature, likewise")
    rho = try reader.optionalNumber("rho", in: .nonNegative, help: "the robustness it was trained with, in nats")
    entropy = try reader.optionalNumber("entropy", in: .positive, help: "in place of rho: ln V - rho")
    // Where the keys are only listed there are no values to compare.
    if reader.isGiven("tau_max") && tauMin >= tauMax { throw reader.failure("tau_max", "must be above tau_min") }
    if rho != nil && entropy != nil { throw reader.failure("entropy", "stands for rho; give one of them") }
  }
}

/// A published TempNet as an artifact of ours.
public enum Import: StageDescription {
  public static let name = "import"
  public static let summary = "Makes an artifact of a TempNet that the published code trained."
  public static let version = 1
  public static let output = ArtifactKind.tempnet
  public static let inputs: [StageInput] = []
  public typealias Configuration = ImportConfiguration

  public static func rawInputs(_ configuration: ImportConfiguration) throws -> [RawInput] {
    try TempNetFiles(configuration.weights).paths.map { RawInput("weights/\(Files.name(of: $0))", path: $0) }
  }
}

/// The files that a published TempNet lies in.
public struct TempNetFiles: Sendable {
  public let paths: [String]

  /// What the published conversion calls the file beside the model's.
  private static let ownName = "tempnet.safetensors"
  /// One of the tensors that every TempNet has.
  private static let telling = "proj.0.weight"

  /// - Throws: `Failure` with `.missingInput`, or `.badData` for a folder without a TempNet.
  public init(_ path: String) throws {
    guard let status = try Files.status(path) else { throw Failure(.missingInput, "there is no such file", at: path) }
    guard status.isFolder else {
      paths = [path]
      return
    }
    if Files.exists("\(path)/\(Self.ownName)") {
      paths = ["\(path)/\(Self.ownName)"]
      return
    }
    let folder = try HuggingFaceFolder(path)
    guard let index = folder.index else {
      paths = folder.weights.map { "\(path)/\($0)" }
      return
    }
    guard let tempnet = index.first(where: { $0.tensor.hasSuffix(Self.telling) })?.tensor else {
      throw Failure(.badData, "names no TempNet: no tensor that ends with \(Self.telling)", at: folder.indexPath)
    }
    let prefix = tempnet.dropLast(Self.telling.count)
    let files = Set(index.filter { $0.tensor.hasPrefix(prefix) && !prefix.isEmpty || $0.tensor == tempnet }.map(\.file))
    paths = files.sorted().map { "\(path)/\($0)" }
  }
}
