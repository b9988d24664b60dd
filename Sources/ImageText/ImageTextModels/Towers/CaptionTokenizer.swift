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
  private let vocabulary: Vocabulary

  private enum Vocabulary {
    /// As language models have it.
    case byteLevel(Tokenizer)
    case clip(ClipTokenizer)
  }

  /// - Parameter place: the vocabulary's file, for messages.
  /// - Throws: `Failure(.badData)` where the end mark has not the greatest id.
  public init(_ tokenizer: Tokenizer, context: Int, at place: String) throws {
    try self.init(.byteLevel(tokenizer), context: context, at: place)
  }

  private init(_ vocabulary: Vocabulary, context: Int, at place: String) throws {
    (self.vocabulary, self.context) = (vocabulary, context)
    guard Int(end) == vocabularySize - 1 else {
      throw Failure(
        .badData,
        "the mark that ends texts has the id \(end) of \(vocabularySize); a text tower is read at the greatest id, so that "
          + "it has to be the mark's", at: place)
    }
    guard context > markCount else {
      throw Failure(
        .badData, "has \(markCount) marks for each caption, for which a context of \(context) is too short", at: place)
    }
  }

  /// Reads a `tokenizer.json`, or another file of CLIP's vocabulary.
  public init(path: String, context: Int) throws {
    let vocabulary: Vocabulary =
      try ClipTokenizer.read(path).map(Vocabulary.clip) ?? .byteLevel(try Tokenizer(path: path))
    try self.init(vocabulary, context: context, at: path)
  }

  public var vocabularySize: Int {
    switch vocabulary {
    case .byteLevel(let tokenizer): tokenizer.vocabularySize
    case .clip(let tokenizer): tokenizer.vocabularySize
    }
  }
  /// The mark before captions; nil if the vocabulary has none.
  public var beginMark: Mark? { begin.map(mark) }
  /// The mark after captions.
  public var endMark: Mark { mark(end) }
  /// The text of the `tokenizer.json`.
  public var fileText: String {
    switch vocabulary {
    case .byteLevel(let tokenizer): tokenizer.fileText
    case .clip(let tokenizer): tokenizer.fileText
    }
  }

  /// The ids of a caption. Of a long one the last ids are left out, but not the end mark.
  public func encode(_ caption: String) -> [Int32] {
    let ids =
      switch vocabulary {
      case .byteLevel(let tokenizer): tokenizer.encode(caption)
      case .clip(let tokenizer): tokenizer.encode(caption)
      }
    return (begin.map { [$0] } ?? []) + ids.prefix(context - markCount) + [end]
  }

  private var begin: Int32? {
    switch vocabulary {
    case .byteLevel(let tokenizer): tokenizer.beginOfText
    case .clip(let tokenizer): tokenizer.beginOfText
    }
  }

  private var end: Int32 {
    switch vocabulary {
    case .byteLevel(let tokenizer): tokenizer.endOfText
    case .clip(let tokenizer): tokenizer.endOfText
    }
  }

  private var markCount: Int { begin == nil ? 1 : 2 }

  /// Captions of at least one id as the text tower reads them: int64 [B, length of the longest], padded with 0.
  public static func padded(_ captions: [[Int32]]) -> Tensor {
    let length = captions.map(\.count).max() ?? 0
    return Tensor(
      captions.flatMap { ids in ids.map(Int.init) + [Int](repeating: 0, count: length - ids.count) },
      shape: [captions.count, length])
  }

  /// A token around captions.
  public struct Mark: Equatable, Sendable {
    public let id: Int
    public let spelling: String
  }

  private func mark(_ id: Int32) -> Mark {
    switch vocabulary {
    case .byteLevel(let tokenizer): Mark(id: Int(id), spelling: tokenizer.text(of: [id]))
    case .clip(let tokenizer): Mark(id: Int(id), spelling: tokenizer.spelling(of: id))
    }
  }
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
