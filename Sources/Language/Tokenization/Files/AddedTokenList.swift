import Diagnostics
import JSON

/// Collects the added tokens of a vocabulary from several files. Of a token that is stated twice the last flags count,
/// as in `tokenizers`, but a special token stays special.
struct AddedTokenList {
  private struct Entry {
    let id: Int
    var token: StatedToken
  }

  /// The model's ids by content, and its contents by id.
  private let modelIDs: [ExactString: Int]
  private let modelContents: [Int: String]
  private var entries: [ExactString: Entry] = [:]
  private var contents: [Int: String] = [:]
  private var last = -1

  init(model tokens: [(spelling: String, id: Int)]) {
    modelIDs = Dictionary(tokens.map { (ExactString($0.spelling), $0.id) }) { first, _ in first }
    modelContents = Dictionary(tokens.map { ($0.id, $0.spelling) }) { first, _ in first }
  }

  /// The id of a content, as an added token or in the model.
  func id(of content: String) -> Int? { entries[ExactString(content)]?.id ?? modelIDs[ExactString(content)] }

  /// The added token with a content.
  subscript(content: String) -> StatedToken? { entries[ExactString(content)]?.token }

  /// The contents of the tokens except `others`, in the order of their ids.
  func contents(without others: [String]) -> [String] {
    let others = Set(others.map(ExactString.init))
    return entries.filter { !others.contains($0.key) }.sorted { $0.value.id < $1.value.id }.map(\.key.text)
  }

  /// The id that `tokenizers` gives to the next token without one.
  var next: Int { max(last + 1, modelContents.count) }

  /// Adds a token with the id that a file states.
  ///
  /// - Parameter mayLeaveGap: whether ids before it may be unused.
  /// - Throws: `Failure(.badData)` if the id has another token, or the token another id.
  mutating func add(_ token: StatedToken, id: Int, mayLeaveGap: Bool, source: String) throws {
    guard !token.content.isEmpty, (0..<Vocabulary.maximumSize).contains(id) else {
      throw Failure(
        .badData, "the added token '\(token.content)' (\(id)) should have a content and an id of its own", at: source)
    }
    if let known = self.id(of: token.content) {
      guard known == id else {
        throw Failure(
          .badData, "the added token '\(token.content)' has the id \(id), but \(known) in the vocabulary", at: source)
      }
    } else if let other = contents[id] ?? modelContents[id].flatMap({ isSpelling($0, of: token.content) ? nil : $0 }) {
      throw Failure(.badData, "the id \(id) of the added token '\(token.content)' is that of '\(other)'", at: source)
    } else if !mayLeaveGap, id != next, modelContents[id] == nil {
      throw Failure(
        .badData,
        "the added token '\(token.content)' has the id \(id), but tokenizers gives it the next free one, \(next)",
        at: source)
    }
    insert(token, id: id)
  }

  /// Adds a token whose id no file states: it gets the model's id or the next one.
  mutating func add(_ token: StatedToken) {
    insert(token, id: id(of: token.content) ?? next)
  }

  /// Whether `spelling` is `content` in the byte-level alphabet.
  private func isSpelling(_ spelling: String, of content: String) -> Bool {
    ByteAlphabet.bytes(spelledBy: spelling) == Array(content.utf8)
  }

  private mutating func insert(_ token: StatedToken, id: Int) {
    let key = ExactString(token.content)
    guard var entry = entries[key] else {
      entries[key] = Entry(id: id, token: token)
      contents[id] = token.content
      last = max(last, id)
      return
    }
    entry.token.matching = token.matching
    entry.token.isSpecial = entry.token.isSpecial || token.isSpecial
    entries[key] = entry
  }

  /// The special tokens, or the others, in the order of their ids.
  func tokens(special: Bool) -> [Vocabulary.Added] {
    entries.values.filter { $0.token.isSpecial == special }.sorted { $0.id < $1.id }.map {
      Vocabulary.Added(id: Int32($0.id), content: $0.token.content, matching: $0.token.matching)
    }
  }
}
