import Artifacts
import Diagnostics

extension ModelFamily {
  /// GPT-NeoX and Pythia (Black et al. 2022).
  static let neox = ModelFamily(
    modelTypes: ["gpt_neox"],
    readConfiguration: { fields, source in
      try fields.require("attention_bias", is: true)
      let rotary = try fields.rotary(base: "rotary_emb_base", fraction: "rotary_pct", defaultFraction: 0.25)
      return try ModelConfiguration(
        vocabulary: fields.integer("vocab_size"), context: fields.integer("max_position_embeddings"),
        width: fields.integer("hidden_size"), layers: fields.integer("num_hidden_layers"),
        heads: fields.integer("num_attention_heads"), feedForward: fields.integer("intermediate_size"),
        normEpsilon: fields.number(ifPresent: "layer_norm_eps") ?? 1e-5, rotaryBase: rotary.base,
        rotaryFraction: rotary.fraction, activation: fields.gelu("hidden_act"),
        tiedHead: fields.boolean(ifPresent: "tie_word_embeddings") ?? false,
        parallelResidual: fields.boolean(ifPresent: "use_parallel_residual") ?? true, status: .badData, at: source)
    },
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
    ignoredEnds: [".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq"])
}
