import Files
import Foundation
import JSON
import ModelFiles
import RandomNumbers
import TestSupport
import Testing

@testable import Tokenization

/// A text with the pieces and ids of Python's `tokenizers`.
struct Case: CustomTestStringConvertible {
  let name: String
  let text: String
  let pieces: [String]
  let ids: [Int32]
  let words: Int

  var testDescription: String { name }

  static let all: [Case] = {
    let json = try! JSON(parsing: Files.read(fixture("cases.json")), source: "cases.json")
    return json.arrayValue!.map { entry in
      Case(
        name: entry["name"]!.stringValue!, text: entry["text"]!.stringValue!,
        pieces: entry["pieces"]!.arrayValue!.map { $0.stringValue! },
        ids: entry["ids"]!.arrayValue!.map { Int32($0.intValue!) }, words: entry["words"]!.intValue!)
    }
  }()
}

let fixtureTokenizer = try! Tokenizer(path: fixture("tokenizer.json"))

/// A file in `tiktoken`'s form; each token's rank is its place.
func ranksFile(_ tokens: some Sequence<[UInt8]?>) -> [UInt8] {
  Array(tokens.enumerated().map { rank, token in "\(Data(token!).base64EncodedString()) \(rank)\n" }.joined().utf8)
}

/// The metadata of a GGUF file with the vocabulary of `rules/llama2.json`: scores, instead of merges, order the
/// tokens.
struct SentencePieceMetadata {
  var tokens: [String]
  var kinds: [Int]
  var scores: [Float]
  var more: [(key: String, value: GGUFWriter.Value)] = []

  init() throws {
    let json = try JSON(parsing: Files.read(fixture("rules/llama2.json")), source: "llama2.json")
    let vocabulary = json["model"]!["vocab"]!.objectValue!.map { (token: $0.key, id: $0.value.intValue!) }
    tokens = vocabulary.sorted { $0.id < $1.id }.map { $0.token }
    // The unknown token, two more special ones, the bytes, and the learned tokens in their order.
    kinds = [2, 3, 3] + Array(repeating: 6, count: 256) + Array(repeating: 1, count: vocabulary.count - 259)
    scores = tokens.indices.map { -Float($0) }
  }

  var entries: [(key: String, value: GGUFWriter.Value)] {
    let own: [(key: String, value: GGUFWriter.Value)] = [
      ("tokenizer.ggml.model", .string("llama")), ("tokenizer.ggml.tokens", .strings(tokens)),
      ("tokenizer.ggml.token_type", .integers(kinds)), ("tokenizer.ggml.scores", .floats(scores)),
      ("tokenizer.ggml.bos_token_id", .uint32(1)), ("tokenizer.ggml.eos_token_id", .uint32(2)),
    ]
    return own + more
  }
}

extension Tokenizer {
  /// The ids of a document encoded in chunks of `size` bytes, with the id that closes it.
  func encodeInChunks(_ text: String, size: Int) throws -> [Int32] {
    let folder = try TemporaryFolder()
    let writer = try TokenSplitWriter(.train, vocabulary: vocabularySize, shardTokens: 1 << 20) { folder($0) }
    let encoder = CorpusEncoder(self, writers: [.train: writer], threads: 2, chunkSize: size)
    try encoder.receiver.begin(.train)
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      try Array(rest.prefix(17)).withUnsafeBufferPointer { try encoder.receiver.append($0) }
      rest = rest.dropFirst(17)
    }
    try encoder.receiver.end()
    try encoder.finish()
    try writer.finish()
    let bytes = try Files.read(folder(TokenFormat.shardFile(.train, 0))).dropFirst(TokenFormat.headerSize)
    return Array(bytes).withUnsafeBytes { $0.bindMemory(to: UInt16.self).map(Int32.init) }
  }
}

/// Bytes with the padding that the encoder needs.
func padded(_ bytes: some Sequence<UInt8>) -> ByteBuffer {
  let bytes = Array(bytes)
  var buffer = ByteBuffer(capacity: bytes.count)
  buffer.append(bytes[...])
  return buffer
}

/// A text of many scripts, kinds of white space and odd sequences, the same for the same seed.
func motley(seed: UInt64, parts: Int) -> String {
  var random = SplitMix64(seed: seed)
  let scripts: [ClosedRange<UInt32>] = [
    0x41...0x5A, 0x61...0x7A, 0xC0...0x17F, 0x300...0x30F, 0x391...0x3C9, 0x410...0x44F, 0x5D0...0x5EA, 0x620...0x64A,
    0x905...0x94D, 0xE01...0xE4E, 0x10D0...0x10F0, 0x2000...0x2070, 0x3041...0x3096, 0x4E00...0x9FA5, 0xAC00...0xD7A3,
    0x1_F300...0x1_F64F, 0x1_2000...0x1_2100, 0x0...0x40, 0x5B...0x60, 0xA0...0xBF,
  ]
  let phrases = [
    " the", " house", "'s", "'ll", " 'tis", "\n\n", "  ", " \n ", "\t", "\r\n", "👨‍👩‍👧‍👦", "👍🏽", " 1234", "3.14", "...", " --",
    "\u{3000}",
    "<|endoftext|>", "don't", " antidisestablishmentarianism",
  ]
  var text = String.UnicodeScalarView()
  for _ in 0..<parts {
    switch random.next() % 8 {
    case 0...3:
      let script = scripts.randomElement(using: &random)!
      for _ in 0...Int.random(in: 0..<10, using: &random) {
        text.append(Unicode.Scalar(UInt32.random(in: script, using: &random))!)
      }
    case 4: text.append(" ")
    case 5...6: text += phrases.randomElement(using: &random)!.unicodeScalars
    default:
      guard random.next() % 16 == 0 else { continue }
      let repeated = ["a", "ab", "Ж", "漢", "🙂", " ", "!", "0"].randomElement(using: &random)!
      text += String(repeating: repeated, count: Int.random(in: 20...900, using: &random)).unicodeScalars
    }
  }
  return String(text)
}

/// Runs a program and returns its errors; an empty text if it succeeds.
func runProgram(_ path: String, _ arguments: [String]) throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: path)
  process.arguments = arguments
  let output = Pipe()
  process.standardError = output
  try process.run()
  let said = try output.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  return process.terminationStatus == 0 ? "" : String(decoding: said, as: UTF8.self) + "(ended in failure)"
}
