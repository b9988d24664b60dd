/// What decides, besides the vocabulary, which ids a text has.
public struct TokenizationRules: Equatable, Sendable {
  /// How text is split into the pieces inside which bytes may merge.
  public enum Splitting: String, CaseIterable, Sendable {
    /// GPT-2's rule; see `Pretokenizer`.
    case gpt2
    /// GPT-2's rule between digits, each of which is a piece: SmolLM, StarCoder.
    case gpt2Digits
    /// OpenAI's cl100k_base, which `tiktoken` reads.
    case cl100k
    /// Llama 3's form of it.
    case llama3
    /// Qwen2's: digits one by one.
    case qwen2
    /// Qwen3.5's: marks count as letters.
    case qwen35
    /// OpenAI's o200k_base: words end where capitals begin.
    case o200k
    /// What llama.cpp takes for files that name no rule: GPT-2's between signs, with digits in threes.
    case llamaDefault
    /// Words with the blanks before them, of characters rather than bytes: what SentencePiece's BPE comes to.
    case sentencePiece
  }
  /// Where a blank is put that the text does not have.
  public enum Prefix: String, CaseIterable, Sendable {
    case none
    /// Before every stretch of text between added tokens.
    case everywhere
    /// Before every stretch that does not begin with a blank.
    case missing
    /// Before the text if it does not begin with a blank.
    case missingAtStart
  }

  public var splitting: Splitting
  /// Whether text is brought into composed form (NFC) first.
  public var composes: Bool
  /// Whether a piece that is a token as a whole is taken as it is, even if merges would not lead there.
  public var ignoresMerges: Bool
  public var prefix: Prefix
  /// Whether SentencePiece's blanks are put in by the normaliser, before normalised added tokens are looked for; with
  /// `Prefix.everywhere` they always are.
  public var normalizesBlanks = false

  /// Whether text is encoded as it stands, but for added tokens.
  var leavesTextAlone: Bool { !composes && prefix == .none && splitting != .sentencePiece }

  /// Whether normalised added tokens are looked for in text that has SentencePiece's blanks.
  var blanksComeFirst: Bool { splitting == .sentencePiece && (prefix == .everywhere || normalizesBlanks) }

  /// Whether decoding takes the blank away again; byte-level decoders leave it.
  var decodesWithoutPrefix: Bool { splitting == .sentencePiece && prefix != .none }

  public init(
    splitting: Splitting = .gpt2, composes: Bool = false, ignoresMerges: Bool = false, prefix: Prefix = .none
  ) {
    self.splitting = splitting
    self.composes = composes
    self.ignoresMerges = ignoresMerges
    self.prefix = prefix
  }
}
