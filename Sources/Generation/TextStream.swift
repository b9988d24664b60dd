import Tokenization

/// Turns ids into text as they come: a character whose bytes are spread over several ids comes with its last one.
public struct TextStream {
  private let tokenizer: Tokenizer
  private var ids: [Int32] = []
  private var given = 0

  public init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

  /// The text that an id completes; empty while a character is not complete.
  public mutating func add(_ id: Int32) -> String {
    ids.append(id)
    let bytes = tokenizer.decode(ids)
    let complete = bytes.count - Self.openBytes(bytes)
    guard complete > given else { return "" }
    defer { given = complete }
    return String(decoding: bytes[given..<complete], as: UTF8.self)
  }

  /// What is left of a character that was never completed, as U+FFFD.
  public mutating func finish() -> String {
    let bytes = tokenizer.decode(ids)
    defer { given = bytes.count }
    return String(decoding: bytes[min(given, bytes.count)...], as: UTF8.self)
  }

  /// The bytes at the end that begin a character and do not finish it.
  private static func openBytes(_ bytes: [UInt8]) -> Int {
    for (place, byte) in bytes.suffix(3).reversed().enumerated() where byte & 0xC0 != 0x80 {
      let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
      return length > place + 1 ? place + 1 : 0
    }
    return 0
  }
}
