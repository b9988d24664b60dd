import Diagnostics
import Files
import JSON
import ModelFiles

/// The statements of a published model's files about generation, apart from its tokenizer.
public struct StatedGeneration: Equatable, Sendable {
  /// A token that ends a text.
  public struct End: Equatable, Sendable {
    public let token: Int
    /// The file or entry that names it.
    public let source: String
  }

  /// A setting by which other tools change the distribution or the draws.
  public struct Setting: Equatable, Sendable {
    /// Name and value in the file: `temperature 0.7`.
    public let text: String
    /// The option of `tempnet-generate` with the same effect; nil without one.
    public let option: String?
    /// Whether it has an effect only where tokens are drawn, not where the likeliest is taken.
    public let needsDrawing: Bool
  }

  public var ends: [End] = []
  /// The ends of `config.json` where `generation_config.json` names ends too. transformers then ignores them: often they
  /// are the defaults of the model's class.
  public var endsOfOld: [End] = []
  public var settings: [Setting] = []
  /// The file or entry that states the settings.
  public var source = ""
}

extension PretrainedModel {
  /// - Throws: `Failure` with `.badData` for ends that are no integers.
  public func statedGeneration() throws -> StatedGeneration {
    switch source {
    case .own: StatedGeneration()
    case .huggingFace(let folder): try StatedGeneration(folder)
    case .gguf(let path): try StatedGeneration(GGUFFile(path).metadata)
    }
  }
}

extension StatedGeneration {
  // MARK: - Hugging Face

  fileprivate init(_ folder: HuggingFaceFolder) throws {
    let old = try Self.ends(
      JSON(parsing: Files.read(folder.configurationPath), source: folder.configurationPath), folder.configurationPath)
    let path = "\(folder.path)/\(HuggingFaceFolder.generationName)"
    guard Files.exists(path) else {
      ends = old
      return
    }
    let json = try JSON(parsing: Files.read(path), source: path)
    ends = try Self.ends(json, path)
    if ends.isEmpty { ends = old } else { endsOfOld = old }
    source = HuggingFaceFolder.generationName
    settings = Self.known.compactMap { setting in json[setting.name].flatMap(setting.stated) }
  }

  private static func ends(_ json: JSON, _ path: String) throws -> [End] {
    let name = "eos_token_id"
    guard let member = json[name], !member.isNull else { return [] }
    return try (member.arrayValue ?? [member]).map { value in
      guard let token = value.intValue else {
        throw Failure(.badData, "\(name) must be an integer or a list of integers, found \(value.kindName)", at: path)
      }
      return End(token: token, source: Files.name(of: path))
    }
  }

  // MARK: - GGUF

  /// The entries by which llama.cpp ends a text, those for the middle of files included.
  private static let ggufEnds = [
    "eos_token_id", "eot_token_id", "eom_token_id", "fim_pad_token_id", "fim_rep_token_id", "fim_sep_token_id",
  ]
  private static let sampling = "general.sampling."

  fileprivate init(_ metadata: GGUFMetadata) throws {
    ends = try Self.ggufEnds.compactMap { name in
      let key = "tokenizer.ggml.\(name)"
      return try metadata.integer(ifPresent: key).map { End(token: $0, source: key) }
    }
    source = Files.name(of: metadata.path)
    settings = metadata.keys.compactMap { key in
      guard key.utf8.starts(with: Self.sampling.utf8) else { return nil }
      let name = String(decoding: key.utf8.dropFirst(Self.sampling.utf8.count), as: UTF8.self)
      let known = Self.known.first { $0.ggufName == name }
      switch metadata[key] {
      case .number(let number)?: return (known ?? Known(key)).stated(.number(number), as: key)
      case .integer(let number)?: return (known ?? Known(key)).stated(.integer(number), as: key)
      default: return Setting(text: key, option: nil, needsDrawing: false)
      }
    }
    let suppressed = "tokenizer.ggml.suppress_tokens"
    if metadata[suppressed] != nil { settings.append(Setting(text: suppressed, option: nil, needsDrawing: false)) }
  }
}

extension StatedGeneration {
  /// A setting of transformers' `GenerationConfig` that changes which tokens come.
  private struct Known {
    let name: String
    /// The value without effect.
    let neutral: Double?
    let ggufName: String?
    let option: String?
    let needsDrawing: Bool

    init(
      _ name: String, neutral: Double? = nil, gguf: String? = nil, option: String? = nil, needsDrawing: Bool = false
    ) {
      (self.name, self.neutral, ggufName, self.option, self.needsDrawing) = (name, neutral, gguf, option, needsDrawing)
    }

    func stated(_ value: JSON) -> Setting? { stated(value, as: name) }

    /// The description of a value; nil for a value without effect.
    func stated(_ value: JSON, as name: String) -> Setting? {
      if value.isNull || value.arrayValue?.isEmpty == true || value.objectValue?.isEmpty == true { return nil }
      guard let number = value.doubleValue else { return Setting(text: name, option: nil, needsDrawing: needsDrawing) }
      if number == neutral { return nil }
      let text = value.intValue.map(String.init) ?? "\(Float(number))"
      return Setting(text: "\(name) \(text)", option: option.map { "\($0) \(text)" }, needsDrawing: needsDrawing)
    }
  }

  private static let known = [
    Known("temperature", neutral: 1, gguf: "temp", option: "--policy", needsDrawing: true),
    Known("top_k", neutral: 0, gguf: "top_k", option: "--top-k", needsDrawing: true),
    Known("top_p", neutral: 1, gguf: "top_p", option: "--top-p", needsDrawing: true),
    Known("min_p", neutral: 0, gguf: "min_p", option: "--min-p", needsDrawing: true),
    Known("typical_p", neutral: 1, needsDrawing: true), Known("top_h", needsDrawing: true),
    Known("epsilon_cutoff", neutral: 0, needsDrawing: true), Known("eta_cutoff", neutral: 0, needsDrawing: true),
    Known("repetition_penalty", neutral: 1, gguf: "penalty_repeat"),
    Known("encoder_repetition_penalty", neutral: 1), Known("no_repeat_ngram_size", neutral: 0),
    Known("bad_words_ids"), Known("sequence_bias"), Known("suppress_tokens"), Known("begin_suppress_tokens"),
    Known("forced_bos_token_id"), Known("forced_eos_token_id"), Known("min_length", neutral: 0),
    Known("min_new_tokens", neutral: 0), Known("num_beams", neutral: 1), Known("penalty_alpha", neutral: 0),
    Known("guidance_scale", neutral: 1), Known("exponential_decay_length_penalty"), Known("stop_strings"),
  ]
}
