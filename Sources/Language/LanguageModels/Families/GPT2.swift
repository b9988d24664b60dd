import Diagnostics
import ModelDescriptions

extension ModelFamily {
  /// GPT-2 (Radford et al. 2019).
  static let gpt2 = ModelFamily(
    modelTypes: ["gpt2"],
    readConfiguration: { fields, source in
      try fields.require("scale_attn_weights", is: true)
      try fields.require("scale_attn_by_inverse_layer_idx", is: false)
      try fields.require("add_cross_attention", is: false)
      return try ModelConfiguration(
        vocabulary: fields.integer("vocab_size"), context: fields.integer("n_positions"),
        width: fields.integer("n_embd"), layers: fields.integer("n_layer"), heads: fields.integer("n_head"),
        feedForward: fields.integer(ifPresent: "n_inner"),
        normEpsilon: fields.number(ifPresent: "layer_norm_epsilon") ?? 1e-5, positions: .learned,
        activation: fields.gelu("activation_function", default: .geluTanh),
        tiedHead: fields.boolean(ifPresent: "tie_word_embeddings") ?? true, status: .badData, at: source,
        terms: gpt2Terms)
    },
    layout: WeightLayout(
      layers: [
        "embedding": Source("transformer.wte"), "positions": Source("transformer.wpe"),
        "norm": Source("transformer.ln_f"), "head": Source("lm_head"),
      ],
      blockPrefix: "transformer.h",
      blockLayers: [
        "attention_norm": Source("ln_1"),
        "attention.qkv": Source("attn.c_attn", arrangement: .transposed),
        "attention.output": Source("attn.c_proj", arrangement: .transposed),
        "feed_forward_norm": Source("ln_2"),
        "feed_forward.up": Source("mlp.c_fc", arrangement: .transposed),
        "feed_forward.down": Source("mlp.c_proj", arrangement: .transposed),
      ],
      // The four models of OpenAI are stored without the prefix.
      optionalPrefix: "transformer.", ignoredEnds: [".attn.bias", ".attn.masked_bias"]),
    gguf: [
      "gpt2": WeightLayout(
        layers: [
          "embedding": Source("token_embd"), "positions": Source("position_embd"), "norm": Source("output_norm"),
          "head": Source("output"),
        ],
        blockPrefix: "blk",
        blockLayers: [
          "attention_norm": Source("attn_norm"), "attention.qkv": Source("attn_qkv"),
          "attention.output": Source("attn_output"), "feed_forward_norm": Source("ffn_norm"),
          "feed_forward.up": Source("ffn_up"), "feed_forward.down": Source("ffn_down"),
        ])
    ],
    readMetadata: { fields in
      try ModelConfiguration(
        vocabulary: fields.vocabulary(), context: fields.integer("context_length"),
        width: fields.integer("embedding_length"), layers: fields.integer("block_count"),
        heads: fields.integer(ofEachLayer: "attention.head_count"),
        feedForward: fields.integer(ofEachLayer: "feed_forward_length"),
        normEpsilon: fields.number("attention.layer_norm_epsilon"), positions: .learned, activation: .geluTanh,
        tiedHead: fields.tiesHead, status: .badData, at: fields.path,
        terms: fields.terms)
    })

  /// The names of settings in config.json.
  private static let gpt2Terms = [
    "vocabulary": "vocab_size", "context": "n_positions", "width": "n_embd", "layers": "n_layer", "heads": "n_head",
    "feed_forward": "n_inner", "norm_epsilon": "layer_norm_epsilon",
  ]
}
