/// Encodes valid UTF-8, one document or a part of one at a time. Each thread has its own.
final class TextEncoder {
  private let pretokenizer = Pretokenizer()
  private let words: WordEncoder
  private var cache = WordCache()

  init(_ merges: MergeTable) { words = WordEncoder(merges) }

  /// How many ids `encode` may write for a text: one a byte, and what a whole cache entry reaches past the last.
  static func room(forBytes count: Int) -> Int { count + 8 }

  /// Writes the ids of `text` to `output` and returns how many there are.
  ///
  /// - Parameter text: followed by `ByteBuffer.padding` bytes that may be read.
  func encode(_ text: UnsafePointer<UInt8>, count: Int, to output: UnsafeMutablePointer<UInt32>) -> Int {
    var start = 0
    var written = 0
    while start < count {
      let end = pretokenizer.pieceEnd(text, from: start, end: count)
      written += encodeWord(text + start, count: end - start, to: output + written)
      start = end
    }
    return written
  }

  @inline(__always)
  private func encodeWord(_ word: UnsafePointer<UInt8>, count: Int, to output: UnsafeMutablePointer<UInt32>) -> Int {
    guard count <= WordCache.longestWord else { return words.encode(word, count: count, to: output) }
    let key = WordCache.Key(word, length: count)
    let entry = cache.entry(for: key)
    if let known = cache.find(key, in: entry, to: output) { return known }
    let written = words.encode(word, count: count, to: output)
    cache.store(key, in: entry, output, count: written)
    return written
  }
}
