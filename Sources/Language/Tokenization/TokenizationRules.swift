/// The settings that, with the vocabulary, decide the ids of a text.
public struct TokenizationRules: Equatable, Sendable {
  /// How text is split into pieces; bytes merge only inside a piece.
  public enum Splitting: String, CaseIterable, Sendable {
    /// GPT-2's rule; see `Pretokenizer`.
    case gpt2
    /// Each digit is a piece, and GPT-2's rule splits the text between digits: SmolLM, StarCoder.
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
    /// The rule of llama.cpp for files that name none: GPT-2's between signs, with digits in threes.
    case llamaDefault
    /// SentencePiece's BPE: words of characters, not bytes, each with the blanks before it.
    case sentencePiece
  }
  /// Where encoding adds a blank that the text does not have.
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
  /// Whether text is first normalised to composed form (NFC).
  public var composes: Bool
  /// Whether a whole piece that is a token becomes that token, even if merges would give others.
  public var ignoresMerges: Bool
  public var prefix: Prefix
  /// Whether the normaliser replaces blanks by `▁` before normalised added tokens are searched for. With
  /// `Prefix.everywhere` it always does.
  public var normalisesBlanks = false

  /// Whether text is encoded unchanged, apart from added tokens.
  var leavesTextAlone: Bool { !composes && prefix == .none && splitting != .sentencePiece }

  /// Whether normalised added tokens are searched for after blanks became `▁`.
  var blanksComeFirst: Bool { splitting == .sentencePiece && (prefix == .everywhere || normalisesBlanks) }

  /// Whether decoding removes the added blank; byte-level decoders keep it.
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
