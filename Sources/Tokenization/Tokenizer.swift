import Diagnostics

/// Turns text into the ids of a byte-level BPE vocabulary and back, with GPT-2's splitting rule (`Pretokenizer`).
///
/// Ids equal those of `tiktoken`'s `encode_ordinary` and of Python `tokenizers`. Text that happens to spell a special
/// token such as `<|endoftext|>` is text like any other.
public struct Tokenizer: Sendable {
  public let vocabulary: Vocabulary
  /// The id of the token that closes every document.
  public let endOfText: Int32
  let merges: MergeTable

  /// - Throws: `Failure(.badData)` if the vocabulary has no `<|endoftext|>`.
  public init(_ vocabulary: Vocabulary, source: String) throws {
    guard let endOfText = vocabulary.endOfText else {
      throw Failure(
        .badData, "the vocabulary has no special token \(Vocabulary.endOfTextName) to close documents with", at: source)
    }
    self.vocabulary = vocabulary
    self.endOfText = endOfText
    merges = MergeTable(vocabulary)
  }

  /// One more than the largest id.
  public var vocabularySize: Int { vocabulary.size }

  /// The ids of a text, without any special token.
  public func encode(_ text: String) -> [Int32] { encode(Array(text.utf8)) }

  /// The ids of a text whose bytes, where they are not UTF-8, count as Python's `decode('utf-8', 'replace')`.
  public func encode(_ bytes: [UInt8]) -> [Int32] {
    var text = ByteBuffer(capacity: bytes.count)
    var repair = UTF8Repair()
    bytes.withUnsafeBufferPointer { repair.append($0, to: &text) }
    repair.finish(to: &text)
    let room = TextEncoder.room(forBytes: text.count)
    let ids = UnsafeMutablePointer<UInt32>.allocate(capacity: room)
    defer { ids.deallocate() }
    let count = TextEncoder(merges).encode(text.base, count: text.count, to: ids)
    return (0..<count).map { Int32(bitPattern: ids[$0]) }
  }

  /// The bytes that ids stand for, which need not be UTF-8 where the ids cut a character; an id that stands for
  /// nothing adds nothing.
  public func decode(_ ids: some Sequence<Int32>) -> [UInt8] {
    var bytes: [UInt8] = []
    for id in ids where id >= 0 && id < vocabulary.size { bytes += vocabulary.tokens[Int(id)] ?? [] }
    return bytes
  }

  /// The text that ids stand for, with U+FFFD where the bytes are not UTF-8.
  public func text(of ids: some Sequence<Int32>) -> String { String(decoding: decode(ids), as: UTF8.self) }
}
