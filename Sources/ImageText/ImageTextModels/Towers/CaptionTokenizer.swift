import Diagnostics
import EncoderDescriptions
import Files
import Tokenization
import Torch

/// Turns captions into the ids of a text tower: a mark before them if the vocabulary has one, the end mark after them.
///
/// The tower is read at the greatest id, as in open_clip, so that the end mark has to have it.
public struct CaptionTokenizer: Sendable {
  /// The most ids of a caption, with its marks.
  public let context: Int
  private let tokenizer: Tokenizer

  /// - Parameter place: the vocabulary's file, for messages.
  /// - Throws: `Failure(.badData)` where the end mark has not the greatest id.
  public init(_ tokenizer: Tokenizer, context: Int, at place: String) throws {
    guard Int(tokenizer.endOfText) == tokenizer.vocabularySize - 1 else {
      throw Failure(
        .badData,
        "the mark that ends texts has the id \(tokenizer.endOfText) of \(tokenizer.vocabularySize); a text tower is read "
          + "at the greatest id, so that it has to be the mark's", at: place)
    }
    precondition(context > Self.markCount(tokenizer), "a context of \(context)")
    (self.tokenizer, self.context) = (tokenizer, context)
  }

  /// Reads a `tokenizer.json`.
  public init(path: String, context: Int) throws {
    try self.init(Tokenizer(path: path), context: context, at: path)
  }

  public var vocabularySize: Int { tokenizer.vocabularySize }
  /// The text of the `tokenizer.json`.
  public var fileText: String { tokenizer.fileText }

  /// The ids of a caption. Of a long one the last ids are left out, but not the end mark.
  public func encode(_ caption: String) -> [Int32] {
    let room = context - Self.markCount(tokenizer)
    return (tokenizer.beginOfText.map { [$0] } ?? []) + tokenizer.encode(caption).prefix(room) + [tokenizer.endOfText]
  }

  /// Captions of at least one id as the text tower reads them: int64 [B, length of the longest], padded with 0.
  public static func padded(_ captions: [[Int32]]) -> Tensor {
    let length = captions.map(\.count).max() ?? 0
    return Tensor(
      captions.flatMap { ids in ids.map(Int.init) + [Int](repeating: 0, count: length - ids.count) },
      shape: [captions.count, length])
  }

  private static func markCount(_ tokenizer: Tokenizer) -> Int { tokenizer.beginOfText == nil ? 1 : 2 }
}

extension CaptionTokenizer {
  /// Learns a byte-level vocabulary from captions; its end mark has the greatest id.
  ///
  /// - Parameters:
  ///   - size: the most entries; fewer where the captions give no more.
  ///   - context: the most ids of a caption, with its mark.
  public static func learned(
    from captions: some Sequence<String>, size: Int, context: Int, threads: Int
  ) throws -> CaptionTokenizer {
    let counter = CorpusWordCounter(threads: threads)
    for caption in captions {
      try counter.receiver.begin(.train)
      try Array(caption.utf8).withUnsafeBufferPointer { try counter.receiver.append($0) }
      try counter.receiver.end()
    }
    let vocabulary = try VocabularyTrainer.train(counter.finish(), atMost: size).withEndOfTextLast
    let tokenizer = try Tokenizer(vocabulary, source: "the vocabulary learnt from captions")
    return try CaptionTokenizer(tokenizer, context: context, at: "the vocabulary learnt from captions")
  }
}
