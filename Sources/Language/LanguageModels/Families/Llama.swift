import Diagnostics
import JSON
import ModelDescriptions

extension ModelFamily {
  /// Llama (Touvron et al. 2023) and models of the same structure: Mistral and Qwen2, in windows no longer than their
  /// sliding windows.
  static let llama = ModelFamily(
    modelTypes: ["llama", "mistral", "qwen2"],
    readConfiguration: { fields, source in
      try fields.require("attention_bias", is: false)
      try fields.require("mlp_bias", is: false)
      try fields.requireActivation("silu", "swish")
      let type = try fields.string("model_type")
      let layers = try fields.integer("num_hidden_layers")
      let rotary = try fields.rotary(
        base: "rope_theta", fraction: "partial_rotary_factor", defaultFraction: 1,
        context: fields.integer("max_position_embeddings"))
      guard rotary.fraction == 1 else {
        throw fields.failure(
          "partial_rotary_factor", "is \(rotary.fraction): tools disagree on it, and it is not supported")
      }
      let context = try fields.context(rotary.context, type, layers: layers, at: source)
      let keyValueHeads = try fields.integer(ifPresent: "num_key_value_heads", defaultOf: type)
      return try ModelConfiguration(
        vocabulary: fields.integer("vocab_size"), context: context, width: fields.integer("hidden_size"),
        layers: layers, heads: fields.integer("num_attention_heads"), keyValueHeads: keyValueHeads,
        headWidth: fields.integer(ifPresent: "head_dim"), feedForward: fields.integer("intermediate_size"),
        norm: .rms, normEpsilon: fields.number(ifPresent: "rms_norm_eps") ?? 1e-6, rotaryBase: rotary.base,
        rotaryFraction: rotary.fraction, rotaryScaling: rotary.scaling, activation: .swiglu,
        biases: type == "qwen2" ? .queryKeyValue : .none,
        tiedHead: fields.boolean(ifPresent: "tie_word_embeddings") ?? false, status: .badData, at: source,
        terms: llamaTerms)
    },
    layout: WeightLayout(
      layers: [
        "embedding": Source("model.embed_tokens"), "norm": Source("model.norm"), "head": Source("lm_head"),
      ],
      blockPrefix: "model.layers",
      blockLayers: [
        "attention_norm": Source("input_layernorm"),
        "attention.qkv": Source("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", arrangement: .stacked),
        "attention.output": Source("self_attn.o_proj"),
        "feed_forward_norm": Source("post_attention_layernorm"),
        "feed_forward.gate_up": Source("mlp.gate_proj", "mlp.up_proj", arrangement: .stacked),
        "feed_forward.down": Source("mlp.down_proj"),
      ],
      ignoredEnds: [".rotary_emb.inv_freq"]),
    gguf: [
      "llama": ggufLayout(.stackedByPairs),
      // GGUF files of this class keep the order of rows.
      "qwen2": ggufLayout(.stacked),
    ],
    readMetadata: { fields in
      let heads = try fields.integer(ofEachLayer: "attention.head_count")
      let headWidth = try fields.headWidth()
      let context = try fields.context()
      try fields.requireZero("expert_count", "expert_used_count")
      let rotary = try fields.rotary(factors: "rope_freqs.weight")
      return try ModelConfiguration(
        vocabulary: fields.vocabulary(), context: context, width: fields.integer("embedding_length"),
        layers: fields.integer("block_count"), heads: heads,
        keyValueHeads: fields.integer(ofEachLayerIfPresent: "attention.head_count_kv"), headWidth: headWidth,
        feedForward: fields.integer(ofEachLayer: "feed_forward_length"), norm: .rms,
        normEpsilon: fields.number("attention.layer_norm_rms_epsilon"), rotaryBase: rotary.base,
        rotaryFraction: rotary.fraction, rotaryScaling: rotary.scaling, activation: .swiglu,
        biases: fields.architecture == "qwen2" ? .queryKeyValue : .none, tiedHead: fields.tiesHead, status: .badData,
        at: fields.path, terms: fields.terms)
    })

  /// The names of settings in config.json.
  private static let llamaTerms = [
    "vocabulary": "vocab_size", "context": "max_position_embeddings", "width": "hidden_size",
    "layers": "num_hidden_layers", "heads": "num_attention_heads", "key_value_heads": "num_key_value_heads",
    "head_width": "head_dim", "feed_forward": "intermediate_size", "norm_epsilon": "rms_norm_eps",
    "rotary_base": "rope_theta", "rotary_fraction": "partial_rotary_factor",
  ]

  /// - Parameter queries: the arrangement of queries, keys and values.
  private static func ggufLayout(_ queries: WeightLayout.Arrangement) -> WeightLayout {
    WeightLayout(
      layers: ["embedding": Source("token_embd"), "norm": Source("output_norm"), "head": Source("output")],
      blockPrefix: "blk",
      blockLayers: [
        "attention_norm": Source("attn_norm"),
        "attention.qkv": Source("attn_q", "attn_k", "attn_v", arrangement: queries),
        "attention.output": Source("attn_output"), "feed_forward_norm": Source("ffn_norm"),
        "feed_forward.gate_up": Source("ffn_gate", "ffn_up", arrangement: .stacked),
        "feed_forward.down": Source("ffn_down"),
      ],
      // It is part of the configuration.
      ignoredEnds: ["rope_freqs.weight"])
  }
}

extension JSONFields {
  /// The default number of heads of keys and values: that of queries, except in two of the classes.
  fileprivate mutating func integer(ifPresent name: String, defaultOf type: String) throws -> Int? {
    guard optional(name) == nil else { return try integer(ifPresent: name) }
    return ["mistral": 8, "qwen2": 32][type]
  }

  /// The longest window in which a sliding window has no effect, at most the context.
  ///
  /// - Parameter stated: the context of the file, lengthened by a dynamic scaling.
  fileprivate mutating func context(_ stated: Int, _ type: String, layers: Int, at source: String) throws -> Int {
    guard let window = try slidingWindow(type, layers: layers), window < stated else { return stated }
    guard window > 0 else { throw failure("sliding_window", "is \(window), expected a number above 0") }
    Log.limitingWindows(to: window, of: stated, because: "sliding_window", at: source)
    return window
  }

  /// The shortest sliding window of any layer, in tokens; nil where no layer has one.
  private mutating func slidingWindow(_ type: String, layers: Int) throws -> Int? {
    // The default of Mistral and Qwen2 in transformers is 4096.
    let unsaid = type != "llama" && optional("sliding_window") == nil ? 4096 : nil
    let window = try integer(ifPresent: "sliding_window") ?? unsaid
    guard try boolean(ifPresent: "use_sliding_window") ?? (type == "mistral") else { return nil }
    guard type == "qwen2" else { return window }
    if let kinds = optional("layer_types")?.arrayValue {
      let known: [JSON] = ["full_attention", "sliding_attention"]
      if let other = kinds.first(where: { !known.contains($0) }) {
        throw failure("layer_types", "has \(other.compact); supported are full_attention and sliding_attention")
      }
      return kinds.contains("sliding_attention") ? window : nil
    }
    return try (integer(ifPresent: "max_window_layers") ?? 28) < layers ? window : nil
  }
}
