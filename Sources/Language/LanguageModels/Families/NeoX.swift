import Diagnostics
import ModelDescriptions

extension ModelFamily {
  /// GPT-NeoX and Pythia (Black et al. 2022).
  static let neox = ModelFamily(
    modelTypes: ["gpt_neox"],
    readConfiguration: { fields, source in
      try fields.require("attention_bias", is: true)
      let rotary = try fields.rotary(
        base: "rotary_emb_base", fraction: "rotary_pct", defaultFraction: 0.25,
        context: fields.integer("max_position_embeddings"))
      return try ModelConfiguration(
        vocabulary: fields.integer("vocab_size"), context: rotary.context,
        width: fields.integer("hidden_size"), layers: fields.integer("num_hidden_layers"),
        heads: fields.integer("num_attention_heads"), feedForward: fields.integer("intermediate_size"),
        normEpsilon: fields.number(ifPresent: "layer_norm_eps") ?? 1e-5, rotaryBase: rotary.base,
        rotaryFraction: rotary.fraction, rotaryScaling: rotary.scaling,
        activation: fields.gelu("hidden_act", default: .gelu),
        tiedHead: fields.boolean(ifPresent: "tie_word_embeddings") ?? false,
        parallelResidual: fields.boolean(ifPresent: "use_parallel_residual") ?? true, status: .badData, at: source,
        terms: neoxTerms)
    },
    layout: WeightLayout(
      layers: [
        "embedding": Source("gpt_neox.embed_in"), "norm": Source("gpt_neox.final_layer_norm"),
        "head": Source("embed_out"),
      ],
      blockPrefix: "gpt_neox.layers",
      blockLayers: [
        "attention_norm": Source("input_layernorm"),
        "attention.qkv": Source("attention.query_key_value", arrangement: .byHead),
        "attention.output": Source("attention.dense"),
        "feed_forward_norm": Source("post_attention_layernorm"),
        "feed_forward.up": Source("mlp.dense_h_to_4h"),
        "feed_forward.down": Source("mlp.dense_4h_to_h"),
      ],
      ignoredEnds: [".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq"]),
    gguf: [
      "gptneox": WeightLayout(
        layers: ["embedding": Source("token_embd"), "norm": Source("output_norm"), "head": Source("output")],
        blockPrefix: "blk",
        blockLayers: [
          "attention_norm": Source("attn_norm"), "attention.qkv": Source("attn_qkv"),
          "attention.output": Source("attn_output"), "feed_forward_norm": Source("ffn_norm"),
          "feed_forward.up": Source("ffn_up"), "feed_forward.down": Source("ffn_down"),
        ])
    ],
    readMetadata: { fields in
      let rotary = try fields.rotary(factors: nil)
      let (width, layers) = (try fields.integer("embedding_length"), try fields.integer("block_count"))
      // The file does not name the activation. Pythia has the exact GELU; GPT-NeoX-20B, recognised by its size, has
      // "gelu_fast".
      let activation: ModelConfiguration.Activation = (width, layers) == (6144, 44) ? .geluTanh : .gelu
      return try ModelConfiguration(
        vocabulary: fields.vocabulary(), context: fields.integer("context_length"),
        width: width, layers: layers,
        heads: fields.integer(ofEachLayer: "attention.head_count"),
        feedForward: fields.integer(ofEachLayer: "feed_forward_length"),
        normEpsilon: fields.number("attention.layer_norm_epsilon"), rotaryBase: rotary.base,
        rotaryFraction: rotary.fraction, rotaryScaling: rotary.scaling, activation: activation,
        tiedHead: fields.tiesHead,
        parallelResidual: fields.boolean(ifPresent: "use_parallel_residual") ?? true, status: .badData, at: fields.path,
        terms: fields.terms)
    })

  /// The names of settings in config.json.
  private static let neoxTerms = [
    "vocabulary": "vocab_size", "context": "max_position_embeddings", "width": "hidden_size",
    "layers": "num_hidden_layers", "heads": "num_attention_heads", "feed_forward": "intermediate_size",
    "norm_epsilon": "layer_norm_eps", "rotary_base": "rotary_emb_base or rope_theta", "rotary_fraction": "rotary_pct",
  ]
}
