import Diagnostics
import Files
import TestSupport
import Testing

@testable import Tokenization

@Suite struct VocabularyTrainerTests {
  private func counts(_ documents: [[UInt8]], threads: Int = 1, chunkSize: Int = 64) throws -> WordCounts {
    let counter = CorpusWordCounter(threads: threads, chunkSize: chunkSize)
    for document in documents {
      try counter.receiver.begin(.train)
      try document.withUnsafeBufferPointer { try counter.receiver.append($0) }
      try counter.receiver.end()
    }
    return try counter.finish()
  }

  @Test func `learns the merges that Python's tokenizers learns`() throws {
    let vocabulary = try VocabularyTrainer.train(counts([Files.read(fixture("corpus.txt"))]), size: 700)
    #expect(vocabulary == fixtureTokenizer.vocabulary)
  }

  @Test(arguments: [1, 2, 3, 8]) func `learns the same with any number of threads`(_ threads: Int) throws {
    let documents = (1...20).map { Array(motley(seed: UInt64($0), parts: 300).utf8) }
    let one = try counts(documents, threads: 1, chunkSize: 1 << 20)
    let many = try counts(documents, threads: threads, chunkSize: 500)
    #expect(one.sorted().map(\.word) == many.sorted().map(\.word))
    #expect(one.sorted().map(\.count) == many.sorted().map(\.count))
    #expect(try VocabularyTrainer.train(one, size: 900) == VocabularyTrainer.train(many, size: 900))
  }

  @Test func `merges the most frequent pair first, and of equals the smaller ids`() throws {
    // Of `ba` and `ab`, which occur once each, `ab` has the smaller ids; neither merges across pieces.
    let vocabulary = try VocabularyTrainer.train(counts([Array("ba ab".utf8)]), size: 258)
    #expect(vocabulary.tokens[257] == Array("ab".utf8))
  }

  @Test func `refuses a vocabulary larger than the text's pairs allow, and names the largest size`() throws {
    let words = try counts([Array("abc abc".utf8)])
    // `bc` or `ab`, `abc`, ` abc`: three merges.
    #expect(try VocabularyTrainer.train(words, size: 260).size == 260)
    #expect { _ = try VocabularyTrainer.train(words, size: 261) } throws: { error in
      let failure = error as? Failure
      return failure?.status == .badConfiguration && failure?.message.contains("260 entries") == true
    }
  }

  @Test func `without text the vocabulary is the alphabet`() throws {
    let vocabulary = try VocabularyTrainer.train(counts([]), size: 257)
    #expect(vocabulary.merges.isEmpty)
    #expect(vocabulary.endOfText == 0)
  }
}
