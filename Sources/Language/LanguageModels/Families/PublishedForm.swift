import Diagnostics
import Files
import JSON
import ModelDescriptions
import ModelFiles
import Torch
import Weights

/// The published class of models with the same results as a configuration.
///
/// None of them limits attention to documents: for a model that was trained so, results agree in windows of one document.
public struct PublishedForm: Sendable {
  private let family: ModelFamily
  /// The value of `model_type` in Hugging Face's form.
  public let modelType: String
  private let configuration: ModelConfiguration
  private let place: String

  /// - Parameter place: the owner of the configuration, for messages.
  /// - Throws: `Failure` with `.badData` naming the settings that no published class has.
  public init(_ configuration: ModelConfiguration, at place: String) throws {
    func failure(_ message: String) -> Failure { Failure(.badData, "no published form: \(message)", at: place) }
    self.configuration = configuration
    self.place = place
    let isPlainAttention = configuration.keyValueHeads == configuration.heads && configuration.hasNarrowHeads
    switch (configuration.norm, configuration.positions, configuration.activation, configuration.biases) {
    case (.layer, .learned, .gelu, .all), (.layer, .learned, .geluTanh, .all):
      guard isPlainAttention, !configuration.parallelResidual else {
        throw failure("models with learned positions have plain attention, one branch after the other")
      }
      (family, modelType) = (.gpt2, "gpt2")
    case (.layer, .rotary, .gelu, .all), (.layer, .rotary, .geluTanh, .all):
      guard isPlainAttention else { throw failure("models with layer norms have keys and values for every head") }
      (family, modelType) = (.neox, "gpt_neox")
    case (.rms, .rotary, .swiglu, .none), (.rms, .rotary, .swiglu, .queryKeyValue):
      guard !configuration.parallelResidual, configuration.rotaryFraction == 1 else {
        throw failure("models with RMS norms rotate whole heads, and have one branch after the other")
      }
      let hasBiases = configuration.biases == .queryKeyValue
      guard !hasBiases || configuration.hasNarrowHeads else {
        throw failure("models with biases for queries, keys and values have heads of width / heads")
      }
      (family, modelType) = (.llama, hasBiases ? "qwen2" : "llama")
    default:
      throw failure(
        "none has norm \(configuration.norm.rawValue), positions \(configuration.positions.rawValue), activation "
          + "\(configuration.activation.rawValue) and biases \(configuration.biases.rawValue)")
    }
    if case .factors = configuration.rotaryScaling {
      throw failure("rotary_scaling by factors has no name in Hugging Face's form")
    }
  }

  private var isLlama: Bool { modelType == "llama" || modelType == "qwen2" }
}

extension ModelConfiguration {
  /// Whether heads · head width is the model's width.
  fileprivate var hasNarrowHeads: Bool { headWidth * heads == width }
}

// MARK: - Hugging Face

extension PublishedForm {
  /// Writes `config.json` and `model.safetensors` in float32 into an existing folder.
  ///
  /// - Parameter endOfText: the id that ends texts.
  public func writeHuggingFace(_ parameters: [NamedTensor], to folder: String, endOfText: Int) throws {
    try AtomicFile.write(
      huggingFaceConfiguration(endOfText: endOfText).pretty, to: "\(folder)/\(HuggingFaceFolder.configurationName)")
    try SafetensorsWriter.write(
      family.layout.stored(parameters.map { NamedTensor($0.name, $0.tensor.to(.float32)) }, configuration),
      metadata: ["format": "pt"], to: "\(folder)/\(HuggingFaceFolder.weightsName)")
  }

  func huggingFaceConfiguration(endOfText: Int) -> JSON {
    let architectures = [
      "gpt2": "GPT2LMHeadModel", "gpt_neox": "GPTNeoXForCausalLM", "llama": "LlamaForCausalLM",
      "qwen2": "Qwen2ForCausalLM",
    ]
    var json: JSON = [
      "model_type": .string(modelType), "architectures": [.string(architectures[modelType]!)],
      "vocab_size": .integer(configuration.vocabulary), "tie_word_embeddings": .bool(configuration.tiedHead),
      "bos_token_id": .integer(endOfText), "eos_token_id": .integer(endOfText), "dtype": "float32",
      "torch_dtype": "float32", "use_cache": true,
    ]
    var others: [(String, JSON)]
    if modelType == "gpt2" {
      others = [
        ("n_positions", .integer(configuration.context)), ("n_embd", .integer(configuration.width)),
        ("n_layer", .integer(configuration.layers)), ("n_head", .integer(configuration.heads)),
        ("n_inner", .integer(configuration.feedForward)), ("activation_function", .string(gelu)),
        ("layer_norm_epsilon", .number(configuration.normEpsilon)), ("scale_attn_weights", true),
        ("attn_pdrop", 0.0), ("embd_pdrop", 0.0), ("resid_pdrop", 0.0),
      ]
    } else {
      others = [
        ("max_position_embeddings", .integer(trainedContext)), ("hidden_size", .integer(configuration.width)),
        ("num_hidden_layers", .integer(configuration.layers)),
        ("num_attention_heads", .integer(configuration.heads)),
        ("intermediate_size", .integer(configuration.feedForward)), ("attention_dropout", 0.0),
        ("rope_parameters", rotary), ("rope_theta", .number(configuration.rotaryBase)),
      ]
      others += isLlama ? llamaMembers : neoxMembers
    }
    for (name, value) in others { json[name] = value }
    return json
  }

  private var gelu: String { configuration.activation == .gelu ? "gelu" : "gelu_new" }

  /// The context of training, from which a dynamic scaling starts.
  private var trainedContext: Int {
    if case .dynamic(_, let original) = configuration.rotaryScaling { original } else { configuration.context }
  }

  private var llamaMembers: [(String, JSON)] {
    var members: [(String, JSON)] = [
      ("num_key_value_heads", .integer(configuration.keyValueHeads)),
      ("rms_norm_eps", .number(configuration.normEpsilon)), ("hidden_act", "silu"),
    ]
    if modelType == "qwen2" {
      members.append(("use_sliding_window", false))
    } else {
      members += [("head_dim", .integer(configuration.headWidth)), ("attention_bias", false), ("mlp_bias", false)]
    }
    return members
  }

  private var neoxMembers: [(String, JSON)] {
    [
      ("layer_norm_eps", .number(configuration.normEpsilon)), ("hidden_act", .string(gelu)),
      ("use_parallel_residual", .bool(configuration.parallelResidual)), ("attention_bias", true),
      ("rotary_pct", .number(configuration.rotaryFraction)),
      ("rotary_emb_base", .number(configuration.rotaryBase)), ("hidden_dropout", 0.0),
    ]
  }

  private var rotary: JSON {
    var json: JSON = ["rope_type": "default", "rope_theta": .number(configuration.rotaryBase)]
    if !isLlama { json["partial_rotary_factor"] = .number(configuration.rotaryFraction) }
    switch configuration.rotaryScaling {
    case .none, .factors: break
    case .linear(let factor):
      json["rope_type"] = "linear"
      json["factor"] = .number(factor)
    case .dynamic(let factor, _):
      json["rope_type"] = "dynamic"
      json["factor"] = .number(factor)
    case .llama3(let factor, let low, let high, let original):
      json["rope_type"] = "llama3"
      json["factor"] = .number(factor)
      json["low_freq_factor"] = .number(low)
      json["high_freq_factor"] = .number(high)
      json["original_max_position_embeddings"] = .integer(original)
    }
    return json
  }
}

// MARK: - GGUF

extension PublishedForm {
  /// Writes a GGUF file with the weights in float32.
  ///
  /// - Parameters:
  ///   - name: the model's name in the file.
  ///   - vocabulary: the entries that hold the tokenizer.
  /// - Throws: `Failure` with `.badData` for a model that llama.cpp would compute differently.
  public func writeGGUF(
    _ parameters: [NamedTensor], to path: String, name: String, vocabulary: [(key: String, value: GGUFWriter.Value)]
  ) throws {
    let (architecture, entries, frequencies) = try ggufEntries()
    let general: [(key: String, value: GGUFWriter.Value)] = [
      ("general.architecture", .string(architecture)), ("general.name", .string(name)),
      ("general.file_type", .uint32(0)),
    ]
    let tensors = family.gguf[architecture]!.stored(parameters, configuration).map { name, tensor in
      GGUFWriter.Tensor(name, shape: tensor.shape) { tensor.floats }
    }
    try GGUFWriter.write(
      general + entries.map { ("\(architecture).\($0)", $1) } + vocabulary, frequencies + tensors, to: path)
  }

  /// Names the settings at fault, and those of models that can be written.
  private func noGGUF(_ obstacle: String) -> Failure {
    Failure(
      .badData,
      "has no GGUF form: \(obstacle). A model has one with model.positions: learned, model.norm: layer, model.biases: all "
        + "and model.activation: gelu_tanh, or with model.positions: rotary, model.norm: rms, model.biases: none or qkv "
        + "and model.activation: swiglu; the format huggingface takes this one as it is", at: place)
  }

  private func ggufEntries() throws -> (
    architecture: String, [(String, GGUFWriter.Value)], frequencies: [GGUFWriter.Tensor]
  ) {
    var entries: [(String, GGUFWriter.Value)] = [
      ("context_length", .uint32(configuration.context)), ("embedding_length", .uint32(configuration.width)),
      ("block_count", .uint32(configuration.layers)), ("feed_forward_length", .uint32(configuration.feedForward)),
      ("attention.head_count", .uint32(configuration.heads)), ("vocab_size", .uint32(configuration.vocabulary)),
    ]
    if modelType == "gpt2" && configuration.activation == .geluTanh {
      return ("gpt2", entries + [("attention.layer_norm_epsilon", .float32(configuration.normEpsilon))], [])
    }
    guard modelType != "gpt2" else {
      throw noGGUF("it has model.activation: gelu, but llama.cpp computes GPT-2's class with the approximate GELU")
    }
    guard isLlama else {
      throw noGGUF(
        "model.positions: rotary with model.norm: layer is GPT-NeoX's class, whose files do not say which GELU they are "
          + "for (here model.activation: \(configuration.activation.rawValue))")
    }
    entries += [
      ("attention.head_count_kv", .uint32(configuration.keyValueHeads)),
      ("attention.key_length", .uint32(configuration.headWidth)),
      ("attention.value_length", .uint32(configuration.headWidth)),
      ("attention.layer_norm_rms_epsilon", .float32(configuration.normEpsilon)),
      ("rope.dimension_count", .uint32(configuration.rotaryWidth)),
      ("rope.freq_base", .float32(configuration.rotaryBase)),
    ]
    var frequencies: [GGUFWriter.Tensor] = []
    switch configuration.rotaryScaling {
    case .none: break
    case .linear(let factor):
      entries += [("rope.scaling.type", .string("linear")), ("rope.scaling.factor", .float32(factor))]
    case .llama3, .factors:
      let half = configuration.rotaryWidth / 2
      let base = configuration.rotaryBase
      let plain = RotaryScaling.none.frequencies(base: base, half: half, length: 1)
      let scaled = configuration.rotaryScaling.frequencies(base: base, half: half, length: 1)
      frequencies = [
        GGUFWriter.Tensor("rope_freqs.weight", shape: [half]) { zip(plain, scaled).map { Float($0 / $1) } }
      ]
    case .dynamic:
      throw Failure(
        .badData,
        "has no GGUF form: there is none for its dynamic rotary_scaling; the format huggingface takes it as it is",
        at: place)
    }
    return (modelType, entries, frequencies)
  }
}
