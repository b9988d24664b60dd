import Diagnostics
import EncoderDescriptions
import Files
import Glibc
import JSON
import Torch

/// A CLIP that was trained elsewhere: its sizes, its tensors and its vocabulary.
///
/// Takes an open_clip folder, a folder of transformers' `CLIPModel`, and a state dict (`.safetensors`, or what
/// `torch.save` wrote) with open_clip's configuration or without any.
public struct PublishedEncoder {
  public let configuration: TowersConfiguration
  /// Whole sentences on what the files do not say and how it was taken.
  public let notes: [String]
  /// The files whose content identifies the model, and its `tokenizer.json` or `vocab.json` and `merges.txt`.
  public let files: PublishedEncoderFiles
  private let tensors: [NamedTensor]
  private let logitScale: Tensor

  /// What the user says where the files do not.
  public struct Statements: Equatable, Sendable {
    public var activation: TowersConfiguration.Activation?

    public init(activation: TowersConfiguration.Activation? = nil) { self.activation = activation }
  }

  /// - Throws: `Failure` with `.badData` for models of another kind (named), tensors that lack or are of another shape,
  ///   and for a bare state dict without a stated activation.
  public init(_ files: PublishedEncoderFiles, _ statements: Statements) throws {
    self.files = files
    let weights = try StateDict(files.weights)
    try Self.refuseOthers(weights)
    var reading = PublishedReading(statements: statements)
    configuration = try Self.configuration(files, weights, &reading)
    let layers = configuration.vision.layers + configuration.text.layers
    guard layers <= weights.names.count else {
      throw Failure(.badData, "holds \(weights.names.count) tensors, too few for \(layers) layers", at: weights.path)
    }
    let names = weights.has(TransformersNames.patches) ? .transformers : try OpenClipNames.form(of: weights)
    var used: Set<[UInt8]> = []
    let configuration = configuration
    tensors = try configuration.parameters.map { parameter in
      NamedTensor(
        parameter.name, try names.tensor(parameter, configuration, weights) { used.insert(Array($0.utf8)) })
    }
    logitScale = try Self.logitScale(weights, &used)
    if let stranger = weights.names.first(where: { !used.contains(Array($0.utf8)) && !Self.isBuffer($0) }) {
      throw Failure(
        .badData, "holds a tensor \"\(stranger)\", which such a model does not have; it would be left out",
        at: weights.path)
    }
    notes = reading.notes
  }

  /// The model with its vocabulary.
  ///
  /// - Throws: `Failure(.badData)` for a vocabulary that cannot be read or is of another size.
  public func encoder() throws -> DualEncoder {
    guard let path = files.tokenizer else {
      throw Failure(
        .missingInput,
        "holds no tokenizer.json, nor vocab.json with merges.txt; name a file that has the model's vocabulary in the "
          + "setting tokenizer", at: files.place)
    }
    let tokenizer = try CaptionTokenizer(path: path, context: configuration.text.context)
    guard tokenizer.vocabularySize == configuration.text.vocabulary else {
      throw Failure(
        .badData,
        "has \(tokenizer.vocabularySize) tokens, but the model has embeddings of \(configuration.text.vocabulary)",
        at: path)
    }
    return DualEncoder(
      .towers(configuration), DualEncoder.Encoders(configuration, TowerTensors(tensors), device: .cpu),
      logitScale: logitScale,
      scaleOrigin: .learned, captionTokenizer: tokenizer, device: .cpu)
  }

  private static func configuration(
    _ files: PublishedEncoderFiles, _ weights: StateDict, _ reading: inout PublishedReading
  ) throws -> TowersConfiguration {
    switch files.form {
    case .openClip(let path): return try OpenClipConfiguration.read(path, &reading)
    case .transformers(let path, let preprocessor):
      return try TransformersClipConfiguration.read(path, preprocessor: preprocessor, &reading)
    case .bare: return try BareStateDict.configuration(weights, &reading)
    }
  }

  /// Models that are no such CLIP, by what their tensors are called.
  private static func refuseOthers(_ weights: StateDict) throws {
    let strangers: [(name: String, what: String)] = [
      ("logit_bias", "a SigLIP, whose loss has a bias (logit_bias)"),
      ("visual.layer1.0.conv1.weight", "CLIP with a ResNet"),
      ("visual.attnpool.positional_embedding", "CLIP with a ResNet"),
      ("vision_model.head.probe", "a SigLIP, whose pictures are pooled by attention"),
      ("visual.attn_pool.query", "a CoCa, whose pictures are pooled by attention"),
    ]
    if let found = strangers.first(where: { weights.has($0.name) }) {
      throw Failure(.badData, "is \(found.what); only CLIP with a vision transformer is read", at: weights.path)
    }
    for (prefix, what) in [
      ("visual.trunk.", "a vision tower of timm"), ("text.transformer.embeddings.", "a text tower of transformers"),
    ] {
      if let name = weights.names.first(where: { $0.hasPrefix(prefix) }) {
        throw Failure(.badData, "has \(what) (\"\(name)\"), which is not read", at: weights.path)
      }
    }
  }

  /// Tensors that files of older programs hold although they follow from the sizes.
  private static func isBuffer(_ name: String) -> Bool {
    [
      "attn_mask", "text.attn_mask", "input_resolution", "context_length", "vocab_size",
      "text_model.embeddings.position_ids", "vision_model.embeddings.position_ids",
    ].contains(name)
  }

  private static func logitScale(_ weights: StateDict, _ used: inout Set<[UInt8]>) throws -> Tensor {
    let name = DualEncoder.logitScaleName
    used.insert(Array(name.utf8))
    let shape = weights.shape(name) == [1] ? [1] : []
    let scale = try weights.tensor(name, shape: shape).reshaped([])
    // exp of it has to be a number that similarities can be multiplied with.
    guard abs(scale.item) < 80 else { throw Failure(.badData, "is \(scale.item)", at: "\(weights.path), \"\(name)\"") }
    return scale
  }
}

/// What is gathered while a published configuration is read.
struct PublishedReading {
  let statements: PublishedEncoder.Statements
  var notes: [String] = []

  /// The activation that a file states or that its form has by default. A statement of the user that differs is refused:
  /// the model would compute something else without a word.
  mutating func activation(
    stated: TowersConfiguration.Activation?, default unsaid: TowersConfiguration.Activation, _ member: String,
    form: String, at path: String
  ) throws -> TowersConfiguration.Activation {
    let found = stated ?? unsaid
    if stated == nil {
      notes.append(
        "\(Files.name(of: path)) does not state \(member): taken as \(found.rawValue), the default of \(form)")
    }
    if let said = statements.activation, said != found {
      throw Failure(
        .badConfiguration,
        "is \(said.rawValue), but \(path) \(stated == nil ? "means" : "states") \(found.rawValue); change the file if it is wrong",
        at: "activation")
    }
    return found
  }
}
