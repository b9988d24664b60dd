import Diagnostics

extension TempNetSettings {
  /// The version of the file format that `metadata` describes.
  static let formatVersion = "1"

  /// Every setting, under its name in files: what the metadata of safetensors and ONNX files, NumPy's archive, a bundle's
  /// `config.json` and, all but the dropout, GGUF files are made of. A network that reads logits has no `width`.
  public var entries: [(name: String, value: Value)] {
    var entries: [(name: String, value: Value)] = [
      ("vocabulary", .integer(vocabulary)), ("hidden", .integer(hidden)), ("input", .text(input.rawValue)),
      ("tau_min", .number(tauMin)), ("tau_max", .number(tauMax)), ("rho", .number(rho)),
      ("entropy", .number(targetEntropy)), ("normalisation_epsilon", .number(normalisationEpsilon)),
    ]
    if let width { entries.append(("width", .integer(width))) }
    entries.append(("dropout", .number(dropout)))
    return entries
  }

  /// The value of a setting. Its text has as many digits as reading it back exactly takes.
  public enum Value: CustomStringConvertible, Sendable {
    case integer(Int)
    case number(Double)
    case text(String)

    public var description: String {
      switch self {
      case .integer(let value): "\(value)"
      case .number(let value): "\(value)"
      case .text(let value): value
      }
    }
  }

  /// The settings as the strings that a safetensors file carries beside the weights.
  public var metadata: [String: String] {
    var metadata = ["format_version": Self.formatVersion]
    for (name, value) in entries { metadata[name] = value.description }
    return metadata
  }

  /// Reads what `metadata` wrote; the entropy follows from rho and is not read.
  ///
  /// - Throws: `Failure(.badData)` that names `path` and the entry at fault.
  public init(metadata: [String: String], path: String) throws {
    let reader = MetadataReader(metadata: metadata, path: path)
    let version = try reader.text("format_version")
    guard version == Self.formatVersion else {
      throw reader.failure("format_version", "is \(version); this program reads \(Self.formatVersion)")
    }
    guard let input = Input(rawValue: try reader.text("input")) else {
      let known = Input.allCases.map(\.rawValue).joined(separator: " or ")
      throw reader.failure("input", "is not \(known)")
    }
    let tauMin = try reader.number("tau_min", where: { $0 > 0 }, "a number above 0")
    self.init(
      vocabulary: try reader.integer("vocabulary", from: 2),
      hidden: try reader.integer("hidden", from: 1),
      tauMin: tauMin,
      tauMax: try reader.number("tau_max", where: { $0 > tauMin }, "a number above tau_min"),
      rho: try reader.number("rho", where: { _ in true }, "a finite number"),
      input: input,
      width: input == .hidden ? try reader.integer("width", from: 1) : nil,
      normalisationEpsilon: try reader.number("normalisation_epsilon", where: { $0 >= 0 }, "a number from 0 up"),
      dropout: try reader.number("dropout", where: { (0..<1).contains($0) }, "a number from 0 to below 1"))
  }
}

/// Typed access to a file's strings.
struct MetadataReader {
  let metadata: [String: String]
  let path: String

  func failure(_ key: String, _ message: String) -> Failure {
    Failure(.badData, "metadata \"\(key)\" \(message)", at: path)
  }

  func text(_ key: String) throws -> String {
    guard let text = metadata[key] else { throw failure(key, "is missing; is this a TempNet?") }
    return text
  }

  func integer(_ key: String, from least: Int) throws -> Int {
    let text = try text(key)
    guard let value = Int(text), value >= least else {
      throw failure(key, "is \(text), expected a whole number from \(least) up")
    }
    return value
  }

  func number(_ key: String, where isValid: (Double) -> Bool, _ expected: String) throws -> Double {
    let text = try text(key)
    guard let value = Double(text), value.isFinite, isValid(value) else {
      throw failure(key, "is \(text), expected \(expected)")
    }
    return value
  }
}
