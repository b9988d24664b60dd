import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Tokenization

@Suite struct TiktokenFileTests {
  private static let encoding = TiktokenFile.KnownEncoding(name: "small", ranks: 699, endOfText: 699, splitting: .gpt2)
  /// The fixture's vocabulary without the end-of-text token, which has id 0 there; so ids are one less.
  private static let file = ranksFile(fixtureTokenizer.vocabulary.tokens.dropFirst())
  private static let tokenizer = try! read(file)

  private static func read(_ bytes: [UInt8]) throws -> Tokenizer {
    let name = "small.tiktoken"
    return try Tokenizer(TiktokenFile.vocabulary(bytes, among: [encoding], source: name), source: name)
  }

  @Test(arguments: Case.all) func `ranks give the ids of merges`(_ example: Case) {
    #expect(Self.tokenizer.encode(example.text) == example.ids.map { $0 - 1 })
  }

  @Test func `the encoding determines the end-of-text token`() {
    #expect(Self.tokenizer.endOfText == 699)
    #expect(Self.tokenizer.text(of: [699]) == Vocabulary.endOfTextName)
  }

  /// The message of the failure to read the file with changed lines.
  private func refusal(_ change: (inout [String]) -> Void) -> String? {
    var lines = String(decoding: Self.file, as: UTF8.self).split(separator: "\n").map { String($0) }
    change(&lines)
    let text = lines.joined(separator: "\n")
    let failure = #expect(throws: Failure.self) { try Self.read(Array(text.utf8)) }
    #expect(failure?.status == .badData && failure?.place == "small.tiktoken")
    return failure?.message
  }

  private func line(_ token: String, _ rank: Int) -> String {
    "\(Data(token.utf8).base64EncodedString()) \(rank)"
  }

  @Test func `names the damaged line`() {
    #expect(refusal { $0[4] = "IQ==" }?.contains("line 5") == true)
    #expect(refusal { $0[4] = "IQ= 4" }?.contains("line 5") == true)
    #expect(refusal { $0[4] = "I!Q= 4" }?.contains("line 5") == true)
    #expect(refusal { $0[4] = " 4" }?.contains("line 5") == true)
    #expect(refusal { $0[4] = line("new", -4) }?.contains("line 5") == true)
    #expect(refusal { $0[4] = line("new", 1 << 40) }?.contains("line 5") == true)
    #expect(refusal { $0[698] = line("new", 4) }?.contains("the rank 4 is used twice") == true)
    #expect(refusal { $0[698] = line("a", 698) }?.contains("line 699") == true)
    #expect(refusal { $0[64] = line("new", 64) }?.contains("single byte 97") == true)
  }

  @Test func `lines may end with CR LF`() throws {
    let windows = String(decoding: Self.file, as: UTF8.self).replacing("\n", with: "\r\n")
    #expect(try Self.read(Array(windows.utf8)).vocabulary == Self.tokenizer.vocabulary)
  }

  @Test func `the number of ranks determines the encoding`() throws {
    #expect(refusal { $0.removeLast() }?.contains("has 698 ranks") == true)
    let folder = try TemporaryFolder()
    let path = try folder.write("IQ== 0\nIg== 1\n", to: "two.tiktoken")
    let failure = #expect(throws: Failure.self) { try Tokenizer(path: path) }
    #expect(failure?.status == .badData && failure?.place == path)
    #expect(failure?.message.contains("r50k_base (50256)") == true)
  }

  @Test(.timeLimit(.minutes(1))) func `refuses a token whose merges would take too long to find`() throws {
    for length in [RankedVocabulary.longestToken + 1, 2_000_000] {
      let token = String(repeating: "a", count: length)
      #expect(refusal { $0[698] = line(token, 698) } == "the token 698 is \(length) long; at most 1024 is supported")
    }
    let longest = [UInt8](repeating: 0x61, count: RankedVocabulary.longestToken)
    var tokens = Array(fixtureTokenizer.vocabulary.tokens.dropFirst())
    tokens[698] = longest
    #expect(try Self.read(ranksFile(tokens)).vocabulary.tokens[698] == longest)
  }
}
