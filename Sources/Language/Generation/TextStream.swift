import Tokenization

/// Decodes ids one by one. A character whose bytes are spread over several ids comes with the last of them. The pieces together
/// are the text that `Tokenizer` decodes from all ids.
public struct TextStream {
  private let vocabulary: Vocabulary
  /// The bytes of a character that is not complete.
  private var open: [UInt8] = []
  private var isAtStart = true

  public init(_ tokenizer: Tokenizer) { vocabulary = tokenizer.vocabulary }

  /// The text that an id completes; empty while a character is not complete.
  public mutating func add(_ id: Int32) -> String {
    open += bytes(of: id)
    let complete = open.count - Self.openBytes(open)
    defer { open.removeFirst(complete) }
    return String(decoding: open[..<complete], as: UTF8.self)
  }

  /// The rest of an incomplete character, as U+FFFD.
  public mutating func finish() -> String {
    defer { open = [] }
    return String(decoding: open, as: UTF8.self)
  }

  /// The bytes of an id, at the start without the blank that encoding puts there.
  private mutating func bytes(of id: Int32) -> [UInt8] {
    let bytes = vocabulary.bytes(of: id)
    guard isAtStart, !bytes.isEmpty else { return bytes }
    isAtStart = false
    return vocabulary.withoutPrefix(bytes)
  }

  /// The number of bytes at the end that belong to an incomplete character.
  private static func openBytes(_ bytes: [UInt8]) -> Int {
    for (place, byte) in bytes.suffix(3).reversed().enumerated() where byte & 0xC0 != 0x80 {
      let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
      return length > place + 1 ? place + 1 : 0
    }
    return 0
  }
}
