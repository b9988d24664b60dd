/// The ids of a context and of its continuation.
public struct EncodedPair: Equatable, Sendable {
  /// At least one.
  public var context: [Int32]
  public var continuation: [Int32]
  /// Whether the ids of the two, one after the other, are not those of the joined text: a token of the joined text
  /// reaches over the join, so the scored ids differ slightly from the ids that a model would read.
  public var mergesAcrossJoin = false

  public init(context: [Int32], continuation: [Int32], mergesAcrossJoin: Bool = false) {
    self.context = context
    self.continuation = continuation
    self.mergesAcrossJoin = mergesAcrossJoin
  }
}

/// Cuts pairs of texts into ids as lm-evaluation-harness 0.4.13 does for decoder-only models.
public struct PairEncoder<Tokenizer: ScoringTokenizer> {
  private let tokenizer: Tokenizer
  /// Whether contexts begin with the beginning-of-text id.
  private let beginsTexts: Bool

  /// - Parameter beginsTexts: nil does as the tokenizer's file says.
  public init(_ tokenizer: Tokenizer, beginsTexts: Bool? = nil) {
    self.tokenizer = tokenizer
    self.beginsTexts = beginsTexts ?? tokenizer.beginsTexts
  }

  /// White space at the end of the context goes to the continuation. Then both the joined text and the context are
  /// encoded, and the continuation's ids are those of the joined text after as many as the context has: a split by count.
  public func encode(context: String, continuation: String) -> EncodedPair {
    let text = PythonText(context)
    let spaces = text.trailingSpaces
    let kept = PythonText(text.scalars.dropLast(spaces)).string
    let rest = PythonText(text.scalars.suffix(spaces)).string + continuation
    guard !kept.isEmpty else { return encodeAlone(rest) }
    let (whole, start) = (encode(kept + rest), encode(kept))
    return EncodedPair(
      context: start, continuation: Array(whole.dropFirst(start.count)), mergesAcrossJoin: !whole.starts(with: start))
  }

  /// A continuation without a context follows the beginning-of-text id; one that begins with that id follows its own.
  private func encodeAlone(_ continuation: String) -> EncodedPair {
    let ids = tokenizer.ids(of: continuation)
    guard ids.first == tokenizer.beginning else {
      return EncodedPair(context: [tokenizer.beginning], continuation: ids)
    }
    return EncodedPair(context: [ids[0]], continuation: Array(ids.dropFirst()))
  }

  private func encode(_ text: String) -> [Int32] {
    let ids = tokenizer.ids(of: text)
    // A text that spells its beginning has one already.
    return beginsTexts && ids.first != tokenizer.beginning ? [tokenizer.beginning] + ids : ids
  }

  /// A whole text in windows. A beginning that contexts have stands before the text and is predicted with it.
  public func encode(page: String, length: Int) -> [EncodedPair] {
    RollingWindows.pairs(of: encode(page), beginning: tokenizer.beginning, length: length)
  }

  /// For reports.
  public var description: String {
    beginsTexts ? "contexts begin with the beginning-of-text id" : "contexts begin with their own first token"
  }
}

/// How a text longer than the model's context is predicted, every token once.
///
/// The first window predicts as many tokens as the model reads, from the beginning-of-text id on. Each later one predicts
/// as many again, or what is left, and reads the tokens that end one before the last predicted: a full window has one
/// token of context, the last one as many as fit.
public enum RollingWindows {
  /// - Parameter length: how many tokens the model reads.
  public static func pairs(of tokens: [Int32], beginning: Int32, length: Int) -> [EncodedPair] {
    precondition(length > 0, "a model that reads nothing")
    var pairs: [EncodedPair] = []
    var done = 0
    while done < tokens.count {
      let end = min(done + length, tokens.count)
      // Input i stands before token i: the beginning, then the tokens.
      let start = max(0, end - length)
      let context = start == 0 ? [beginning] + tokens[..<done] : Array(tokens[(start - 1)..<done])
      pairs.append(EncodedPair(context: context, continuation: Array(tokens[done..<end])))
      done = end
    }
    return pairs
  }
}

/// One forward pass's worth of a request: what the model reads, and the tokens that its last positions should predict.
public struct ScoredSequence: Hashable, Sendable {
  public let inputs: [Int32]
  public let targets: [Int32]
  /// Whether the context lost its beginning.
  public let isTruncated: Bool

  /// Drops the last token, from which nothing is predicted, and cuts the context at the beginning to the model's length.
  ///
  /// - Returns: nil where the continuation alone is longer than the model's context.
  public init?(_ pair: EncodedPair, length: Int) {
    guard pair.continuation.count <= length else { return nil }
    let all = pair.context + pair.continuation
    inputs = Array(all.suffix(length + 1).dropLast())
    targets = pair.continuation
    isTruncated = all.count > length + 1
  }
}
