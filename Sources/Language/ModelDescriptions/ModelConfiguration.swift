import Diagnostics

/// Everything that decides a decoder-only transformer's shape and arithmetic; the content of `config.json`.
///
/// Covers GPT-2, GPT-NeoX, Llama and combinations of their parts. An instance is always consistent: `init` refuses what
/// cannot be built.
public struct ModelConfiguration: Equatable, Sendable {
  public enum Norm: String, CaseIterable, Sendable { case layer, rms }
  public enum Positions: String, CaseIterable, Sendable { case rotary, learned }
  public enum Activation: String, CaseIterable, Sendable {
    case gelu
    /// GELU by its tanh approximation, as GPT-2 has it.
    case geluTanh = "gelu_tanh"
    /// x · σ(1.702 x), as OpenAI's CLIP has it.
    case quickGelu = "quick_gelu"
    /// silu(gate · x) ∘ (up · x) (Shazeer 2020).
    case swiglu
  }
  /// Which linear layers have biases. Layer norms have one only with `all`; the head never has one.
  public enum Biases: String, CaseIterable, Sendable {
    case none
    /// The product that makes queries, keys and values only, as in Qwen2.
    case queryKeyValue = "qkv"
    case all
  }
  /// How far back a token may look.
  public enum Attention: String, CaseIterable, Sendable {
    /// To the beginning of the window, across documents.
    case window
    /// To the beginning of its own document, where learned positions count from as well.
    case document
  }

  public var vocabulary: Int
  /// The longest window, in tokens.
  public var context: Int
  public var width: Int
  public var layers: Int
  public var heads: Int
  /// Fewer than `heads` where several query heads share one of keys and values (Ainslie et al. 2023).
  public var keyValueHeads: Int
  public var headWidth: Int
  /// The hidden width of the feed-forward part.
  public var feedForward: Int
  public var norm: Norm
  public var normEpsilon: Double
  public var positions: Positions
  public var rotaryBase: Double
  /// The part of each head that is rotated.
  public var rotaryFraction: Double
  public var rotaryScaling: RotaryScaling
  public var activation: Activation
  public var biases: Biases
  /// Whether the head is the token embedding.
  public var tiedHead: Bool
  /// Whether attention and feed-forward both read the block's input, as in GPT-NeoX, or one after the other.
  public var parallelResidual: Bool
  public var attention: Attention
  /// While training, the part of the embedding's and of each branch's output that is set to zero.
  public var dropout: Double

  /// - Parameters:
  ///   - keyValueHeads: `heads` if nil.
  ///   - headWidth: `width / heads` if nil.
  ///   - feedForward: four times the width if nil; two thirds of that, rounded up to a multiple of 64, with SwiGLU,
  ///     whose three matrices then cost about what the usual two do.
  ///   - place: where the values come from, for messages.
  ///   - terms: what the values are called there, by our names, where that is something else.
  /// - Throws: `Failure` with `.badConfiguration`, or with `status`, naming the first value that cannot be.
  public init(
    vocabulary: Int, context: Int, width: Int, layers: Int, heads: Int, keyValueHeads: Int? = nil,
    headWidth: Int? = nil, feedForward: Int? = nil, norm: Norm = .layer, normEpsilon: Double = 1e-5,
    positions: Positions = .rotary, rotaryBase: Double = 10_000, rotaryFraction: Double = 1,
    rotaryScaling: RotaryScaling = .none, activation: Activation = .gelu, biases: Biases = .all, tiedHead: Bool = false,
    parallelResidual: Bool = false,
    attention: Attention = .window, dropout: Double = 0, status: ExitStatus = .badConfiguration,
    at place: String? = nil,
    terms: [String: String] = [:]
  ) throws {
    self.vocabulary = vocabulary
    self.context = context
    self.width = width
    self.layers = layers
    self.heads = heads
    self.keyValueHeads = keyValueHeads ?? heads
    self.headWidth = headWidth ?? (heads > 0 ? width / heads : 0)
    // Whatever a file says of the width is checked only below.
    let bounded = min(max(width, 0), Self.largest)
    self.feedForward = feedForward ?? (activation == .swiglu ? (bounded * 8 / 3 + 63) / 64 * 64 : bounded * 4)
    self.norm = norm
    self.normEpsilon = normEpsilon
    self.positions = positions
    self.rotaryBase = rotaryBase
    self.rotaryFraction = rotaryFraction
    self.rotaryScaling = rotaryScaling
    self.activation = activation
    self.biases = biases
    self.tiedHead = tiedHead
    self.parallelResidual = parallelResidual
    self.attention = attention
    self.dropout = dropout
    try check(headWidthGiven: headWidth != nil, { terms[$0] ?? $0 }, { Failure(status, $0, at: place) })
  }

  /// How many elements of each head are rotated.
  public var rotaryWidth: Int { Int(Double(headWidth) * rotaryFraction) }
  /// The width of queries, keys and values side by side.
  package var queryKeyValueWidth: Int { (heads + 2 * keyValueHeads) * headWidth }
}

extension ModelConfiguration {
  /// The largest size that any dimension may have: beyond it products of two would no longer fit.
  package static let largest = 1 << 30
  /// Every layer costs memory before a single weight is there.
  private static let mostLayers = 1 << 14

  private func check(headWidthGiven: Bool, _ term: (String) -> String, _ failure: (String) -> Failure) throws {
    let sizes = [
      ("vocabulary", vocabulary), ("context", context), ("width", width), ("layers", layers), ("heads", heads),
      ("key_value_heads", keyValueHeads), ("feed_forward", feedForward),
    ]
    for (name, size) in sizes {
      let largest = name == "layers" ? Self.mostLayers : Self.largest
      guard (1...largest).contains(size) else {
        throw failure("\(term(name)) is \(size), expected a number from 1 to \(largest)")
      }
    }
    if !headWidthGiven && width % heads != 0 {
      throw failure("\(term("heads")) is \(heads), which does not divide \(term("width")), \(width)")
    }
    guard (1...Self.largest).contains(headWidth) else { throw failure("\(term("head_width")) is \(headWidth)") }
    guard heads % keyValueHeads == 0 else {
      throw failure("\(term("key_value_heads")) is \(keyValueHeads), which does not divide the \(heads) heads")
    }
    guard normEpsilon > 0, normEpsilon < 1 else {
      throw failure("\(term("norm_epsilon")) is \(normEpsilon), expected a number between 0 and 1")
    }
    guard dropout >= 0, dropout < 1 else {
      throw failure("dropout is \(dropout), expected a number from 0 to less than 1")
    }
    if positions == .rotary { try checkRotary(term, failure) }
  }

  private func checkRotary(_ term: (String) -> String, _ failure: (String) -> Failure) throws {
    guard rotaryBase > 1, rotaryBase.isFinite else {
      throw failure("\(term("rotary_base")) is \(rotaryBase), expected a number above 1")
    }
    guard rotaryFraction > 0, rotaryFraction <= 1 else {
      throw failure("\(term("rotary_fraction")) is \(rotaryFraction), expected a number above 0 and up to 1")
    }
    guard rotaryWidth >= 2, rotaryWidth % 2 == 0 else {
      throw failure(
        "\(rotaryWidth) elements of each head would be rotated (\(term("head_width")) \(headWidth), "
          + "\(term("rotary_fraction")) \(rotaryFraction)), but rotation takes them in pairs")
    }
    if let problem = rotaryScaling.problem(half: rotaryWidth / 2) { throw failure("rotary_scaling \(problem)") }
  }
}
