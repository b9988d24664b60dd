import Diagnostics
import ModelDescriptions
import ModelFiles

/// Reads the architecture of a GGUF file from its metadata. Entries that were not read are refused, because they may change the
/// model's results.
struct GGUFFields {
  let file: GGUFFile
  let architecture: String
  private var asked: Set<String> = []

  /// Entries without effect on the model's results.
  private static let immaterial = ["tensor_data_layout", "rope.scaling.finetuned", "vocab_size"]

  init(_ file: GGUFFile) throws {
    self.file = file
    architecture = try file.metadata.string("general.architecture")
  }

  var path: String { file.path }
  /// The metadata's names of settings.
  var terms: [String: String] {
    let names = [
      "vocabulary": "vocab_size", "context": "context_length", "width": "embedding_length", "layers": "block_count",
      "heads": "attention.head_count", "key_value_heads": "attention.head_count_kv",
      "head_width": "attention.key_length", "feed_forward": "feed_forward_length", "rotary_base": "rope.freq_base",
      "norm_epsilon": asked.first { $0.hasSuffix("_epsilon") } ?? "attention.layer_norm_epsilon",
    ]
    return names.mapValues(key).merging(["rotary_fraction": "the share of \(key("rope.dimension_count"))"]) { $1 }
  }
  /// Whether the file has no head of its own.
  var tiesHead: Bool { file[GGUFFile.headName] == nil }

  func failure(_ name: String, _ message: String) -> Failure { file.metadata.failure(key(name), message) }

  mutating func integer(ifPresent name: String) throws -> Int? {
    try file.metadata.integer(ifPresent: asking(name))
  }
  mutating func number(ifPresent name: String) throws -> Double? {
    try file.metadata.number(ifPresent: asking(name))
  }
  mutating func boolean(ifPresent name: String) throws -> Bool? {
    try file.metadata.bool(ifPresent: asking(name))
  }
  mutating func string(ifPresent name: String) throws -> String? {
    try file.metadata.string(ifPresent: asking(name))
  }
  mutating func integer(_ name: String) throws -> Int {
    guard let value = try integer(ifPresent: name) else { throw failure(name, "is missing") }
    return value
  }
  mutating func number(_ name: String) throws -> Double {
    guard let value = try number(ifPresent: name) else { throw failure(name, "is missing") }
    // Stored in float32: the shortest decimal, 1e-5, rather than 9.999999747378752e-06.
    return Double("\(Float(value))") ?? value
  }

  /// A number, or a list of one for each layer, which have to be equal.
  mutating func integer(ofEachLayer name: String) throws -> Int {
    guard let value = try integer(ofEachLayerIfPresent: name) else { throw failure(name, "is missing") }
    return value
  }
  mutating func integer(ofEachLayerIfPresent name: String) throws -> Int? {
    guard case .array? = file.metadata[key(name)] else { return try integer(ifPresent: name) }
    let (values, layers) = (try file.metadata.integers(ifPresent: asking(name)) ?? [], try integer("block_count"))
    guard values.count == layers, let first = values.first else {
      throw failure(name, "has \(values.count) numbers for \(layers) layers")
    }
    guard let other = values.first(where: { $0 != first }) else { return first }
    throw failure(name, "is \(first) in one layer and \(other) in another: not supported")
  }

  /// Refuses counts of unsupported parts.
  mutating func requireZero(_ names: String...) throws {
    for name in names {
      if let value = try integer(ifPresent: name), value != 0 { throw failure(name, "is \(value): not supported") }
    }
  }

  /// The number of rows of the embedding, which `vocab_size`, where it is given, must state.
  func vocabulary() throws -> Int {
    let name = GGUFFile.embeddingName
    guard let embedding = file[name], embedding.shape.count == 2 else {
      throw Failure(.badData, "holds no tensor \"\(name)\" of two dimensions", at: path)
    }
    let rows = embedding.shape[0]
    if let stated = try file.metadata.integer(ifPresent: key("vocab_size")), stated != rows {
      throw failure("vocab_size", "is \(stated), but \(name) has \(rows) rows")
    }
    return rows
  }

  /// The width of a head; nil where it follows from the model's width.
  mutating func headWidth() throws -> Int? {
    let width = try integer(ifPresent: "attention.key_length")
    if let values = try integer(ifPresent: "attention.value_length"), values != width {
      throw failure("attention.value_length", "is \(values), but that of keys is not: not supported")
    }
    return width
  }

  /// The longest window in which a sliding window has no effect, at most the context.
  mutating func context() throws -> Int {
    let stated = try integer("context_length")
    guard let window = try integer(ifPresent: "attention.sliding_window"), window > 0, window < stated else {
      return stated
    }
    Log.limitingWindows(to: window, of: stated, because: key("attention.sliding_window"), at: path)
    return window
  }

  /// - Parameter factors: the file's tensor of divisors of the frequencies, if any.
  mutating func rotary(factors: String?) throws -> (base: Double, fraction: Double, scaling: RotaryScaling) {
    let base = try number(ifPresent: "rope.freq_base") ?? 10_000
    let heads = try integer(ofEachLayer: "attention.head_count")
    let width = try headWidth() ?? (heads > 0 ? integer("embedding_length") / heads : 0)
    let rotated = try integer(ifPresent: "rope.dimension_count") ?? width
    guard (1...ModelConfiguration.largest).contains(width), rotated > 0, rotated <= width else {
      throw failure("rope.dimension_count", "is \(rotated), with heads of \(width)")
    }
    var scaling = try namedScaling()
    if let factors, let tensor = file[factors] {
      guard tensor.shape == [rotated / 2] else {
        throw Failure(.badData, "has shape \(tensor.shape), expected [\(rotated / 2)]", at: tensor.place)
      }
      // Where a scaling type is stated too, both divide.
      var whole = 1.0
      if case .linear(let factor) = scaling { whole = factor }
      let numbers = tensor.floats.map(Double.init)
      if !numbers.allSatisfy({ $0 == 1 }) { scaling = .factors(numbers.map { $0 * whole }) }
    }
    let fraction = Double(rotated) / Double(width)
    // Rounded up, so that multiplying and truncating restores the number.
    return (base, Int(Double(width) * fraction) == rotated ? fraction : fraction.nextUp, scaling)
  }

  private mutating func namedScaling() throws -> RotaryScaling {
    // Older files have no type, and the factor of a linear scaling in another entry. llama.cpp ignores a factor of 0.
    let older = try number(ifPresent: "rope.scale_linear")
    let stated = try string(ifPresent: "rope.scaling.type")
    let type = stated ?? "linear"
    let newer = try number(ifPresent: "rope.scaling.factor")
    let factor = newer ?? older ?? 1
    if stated == nil, newer != nil, factor != 1, factor != 0 {
      throw failure(
        "rope.scaling.factor",
        "is \(factor), but \(key("rope.scaling.type")) is missing, so that the kind of scaling is a "
          + "guess (llama.cpp's is linear); convert the model again, so that the file states it")
    }
    // Only other types use it.
    _ = try integer(ifPresent: "rope.scaling.original_context_length")
    switch type {
    case "none": return .none
    case "linear": return factor == 1 || factor == 0 ? .none : .linear(factor: factor)
    default: throw failure("rope.scaling.type", "is \"\(type)\"; supported are none and linear")
    }
  }

  /// Refuses entries that were not read.
  func finish() throws {
    for key in file.metadata.keys where key.hasPrefix("\(architecture).") {
      let name = String(key.dropFirst(architecture.utf8.count + 1))
      if !asked.contains(name) && !Self.immaterial.contains(name) {
        throw file.metadata.failure(key, "is not supported")
      }
    }
  }

  private func key(_ name: String) -> String { "\(architecture).\(name)" }

  private mutating func asking(_ name: String) -> String {
    asked.insert(name)
    return key(name)
  }
}

extension GGUFFile {
  fileprivate static let embeddingName = "token_embd.weight"
  fileprivate static let headName = "output.weight"

  /// The unembedding, [vocabulary, width]: of a tied head the token embedding.
  ///
  /// - Throws: `Failure` with `.badData` for a file without one.
  public func unembedding() throws -> GGUFTensor {
    if let weight = self[Self.headName] ?? self[Self.embeddingName] { return weight }
    throw Failure(.badData, "has no unembedding (\(Self.headName) or \(Self.embeddingName))", at: path)
  }

  /// The bias of the logits, [vocabulary]; nil in most models.
  public var unembeddingBias: GGUFTensor? { self["output.bias"] }

  /// Refuses architectures whose logits may differ from the unembedding times the last hidden state.
  ///
  /// - Throws: `Failure` with `.badData`, naming what is supported.
  public func checkArchitecture() throws {
    let architecture = try metadata.string("general.architecture")
    let known = ModelFamily.all.flatMap(\.gguf.keys).sorted()
    guard !known.contains(architecture) else { return }
    throw metadata.failure(
      "general.architecture", "is \"\(architecture)\"; supported are \(known.joined(separator: ", "))")
  }
}

extension ModelFamily {
  /// The family, layout and configuration of a GGUF file.
  ///
  /// - Throws: `Failure` with `.badData`, naming what is not supported.
  static func read(_ file: GGUFFile) throws -> (layout: WeightLayout, ModelConfiguration) {
    try file.checkArchitecture()
    var fields = try GGUFFields(file)
    let family = all.first { $0.gguf[fields.architecture] != nil }!
    let configuration = try family.readMetadata(&fields)
    try fields.finish()
    return (family.gguf[fields.architecture]!, configuration)
  }
}
