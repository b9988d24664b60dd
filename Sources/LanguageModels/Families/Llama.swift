import Artifacts
import Diagnostics

extension ModelFamily {
  /// Llama (Touvron et al. 2023) and what is built the same way: Mistral and Qwen2, without their sliding windows.
  static let llama = ModelFamily(
    modelTypes: ["llama", "mistral", "qwen2"],
    readConfiguration: { fields, source in
      try fields.require("attention_bias", is: false)
      try fields.require("mlp_bias", is: false)
      try fields.requireActivation("silu")
      let type = try fields.string("model_type")
      let context = try fields.integer("max_position_embeddings")
      try fields.refuseSlidingWindow(type, context: context)
      let rotary = try fields.rotary(
        base: "rope_theta", fraction: "partial_rotary_factor", defaultFraction: 1, context: context)
      return try ModelConfiguration(
        vocabulary: fields.integer("vocab_size"), context: rotary.context, width: fields.integer("hidden_size"),
        layers: fields.integer("num_hidden_layers"), heads: fields.integer("num_attention_heads"),
        keyValueHeads: fields.integer(ifPresent: "num_key_value_heads"),
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
      // Its files keep the order of rows.
      "qwen2": ggufLayout(.stacked),
    ],
    readMetadata: { fields in
      let heads = try fields.integer("attention.head_count")
      let headWidth = try fields.headWidth()
      let context = try fields.integer("context_length")
      if let window = try fields.integer(ifPresent: "attention.sliding_window"), window > 0, window < context {
        throw fields.failure("attention.sliding_window", "is \(window), less than the context: not supported")
      }
      try fields.requireZero("expert_count", "expert_used_count")
      let rotary = try fields.rotary(factors: "rope_freqs.weight")
      return try ModelConfiguration(
        vocabulary: fields.vocabulary(), context: context, width: fields.integer("embedding_length"),
        layers: fields.integer("block_count"), heads: heads,
        keyValueHeads: fields.integer(ifPresent: "attention.head_count_kv"), headWidth: headWidth,
        feedForward: fields.integer("feed_forward_length"), norm: .rms,
        normEpsilon: fields.number("attention.layer_norm_rms_epsilon"), rotaryBase: rotary.base,
        rotaryFraction: rotary.fraction, rotaryScaling: rotary.scaling, activation: .swiglu,
        biases: fields.architecture == "qwen2" ? .queryKeyValue : .none, tiedHead: fields.tiesHead, status: .badData,
        at: fields.path, terms: fields.terms)
    })

  /// What config.json calls our settings.
  private static let llamaTerms = [
    "vocabulary": "vocab_size", "context": "max_position_embeddings", "width": "hidden_size",
    "layers": "num_hidden_layers", "heads": "num_attention_heads", "key_value_heads": "num_key_value_heads",
    "head_width": "head_dim", "feed_forward": "intermediate_size", "norm_epsilon": "rms_norm_eps",
    "rotary_base": "rope_theta", "rotary_fraction": "partial_rotary_factor",
  ]

  /// - Parameter queries: how queries, keys and values are arranged.
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
  /// A window that never binds within the context changes nothing.
  fileprivate mutating func refuseSlidingWindow(_ type: String, context: Int) throws {
    let isUsed = try boolean(ifPresent: "use_sliding_window") ?? (type == "mistral")
    // Where Mistral's configuration does not mention it, transformers takes 4096.
    let unsaid = type == "mistral" && optional("sliding_window") == nil ? 4096 : nil
    if isUsed, let window = try integer(ifPresent: "sliding_window") ?? unsaid, window < context {
      throw failure("sliding_window", "is \(window), less than the context: not supported")
    }
  }
}
