/// Text for one thread: documents, or parts of documents that were cut at safe places (`Pretokenizer.lastSafeCut`).
final class TextChunk: @unchecked Sendable {  // Handed from thread to thread, never used by two at once.
  struct Segment {
    let split: Split
    /// Its bytes in the chunk's text.
    let range: Range<Int>
    /// Whether a document begins with this segment.
    let beginsDocument: Bool
    /// Whether the document ends with this segment.
    let endsDocument: Bool
  }

  /// Small enough for the chunks of several threads to stay in a shared cache, and large enough for the start of a
  /// chunk to cost nothing.
  static let defaultSize = 1 << 18

  var text: ByteBuffer
  var segments: [Segment] = []
  /// Space for the ids of the text, reused for the next text: new memory would cost as much as encoding does.
  private(set) var ids: UnsafeMutablePointer<UInt32>
  private var room: Int

  init(capacity: Int) {
    text = ByteBuffer(capacity: capacity)
    room = capacity
    ids = .allocate(capacity: room)
  }

  deinit { ids.deallocate() }

  /// Makes sure that `ids` has space for the ids of the text.
  func makeRoom(_ encoder: TextEncoder) {
    let needed = encoder.room(forBytes: text.count) + segments.count
    guard needed > room else { return }
    ids.deallocate()
    room = needed
    ids = .allocate(capacity: room)
  }

  func removeAll() {
    text.removeAll()
    segments.removeAll(keepingCapacity: true)
  }
}

/// Cuts a stream of documents into chunks of valid UTF-8.
///
/// A document longer than a chunk is cut at a safe place (`Pretokenizer.lastSafeCut`); a chunk grows until there is
/// one. Memory is therefore bounded by the longest stretch of text without such a place, in practice by the size of a
/// chunk.
final class TextChunker: DocumentReceiver {
  private let size: Int
  private let newChunk: () -> TextChunk
  private let deliver: (TextChunk) throws -> Void
  private let pretokenizer: Pretokenizer
  private let tokens: TokenReach

  private var chunk: TextChunk
  private var repair = UTF8Repair()
  private var split = Split.train
  private var segmentStart = 0
  /// The open segment has no place to cut before this offset.
  private var searched = 0
  private var documentHasText = false

  /// - Parameters:
  ///   - tokenizer: determines the places at which documents may be cut.
  ///   - size: in bytes; a chunk is delivered when it has this size.
  ///   - newChunk: returns an empty chunk.
  init(
    _ tokenizer: Tokenizer? = nil, size: Int, newChunk: @escaping () -> TextChunk,
    deliver: @escaping (TextChunk) throws -> Void
  ) {
    pretokenizer = Pretokenizer(tokenizer?.vocabulary.rules ?? TokenizationRules())
    tokens = tokenizer.map(TokenReach.init) ?? TokenReach()
    self.size = size
    self.newChunk = newChunk
    self.deliver = deliver
    chunk = newChunk()
  }

  func begin(_ split: Split) {
    self.split = split
    segmentStart = chunk.text.count
    searched = segmentStart
    documentHasText = false
  }

  func append(_ bytes: UnsafeBufferPointer<UInt8>) throws {
    repair.append(bytes, to: &chunk.text)
    guard chunk.text.count >= size else { return }
    try cut()
  }

  /// Ends the document. A document without text is left out.
  func end() throws {
    repair.finish(to: &chunk.text)
    if documentHasText || chunk.text.count > segmentStart { addSegment(to: chunk.text.count, endsDocument: true) }
    if chunk.text.count >= size { try next() }
  }

  /// Delivers the last chunk, after the last document.
  func finish() throws {
    if !chunk.segments.isEmpty { try next() }
  }

  private func cut() throws {
    let base = chunk.text.base + segmentStart
    let count = chunk.text.count - segmentStart
    let found = pretokenizer.lastSafeCut(base, count: count, lowest: searched - segmentStart) { place in
      tokens.isClear(place, base, count: count)
    }
    guard let found else {
      searched = chunk.text.count
      return
    }
    let place = segmentStart + found
    addSegment(to: place, endsDocument: false)
    documentHasText = true
    let following = newChunk()
    chunk.text.moveTail(from: place, to: &following.text)
    try deliver(chunk)
    chunk = following
    segmentStart = 0
    searched = 0
  }

  private func addSegment(to end: Int, endsDocument: Bool) {
    chunk.segments.append(
      TextChunk.Segment(
        split: split, range: segmentStart..<end, beginsDocument: !documentHasText, endsDocument: endsDocument))
  }

  private func next() throws {
    try deliver(chunk)
    chunk = newChunk()
  }
}
