import Artifacts
import Configuration
import Diagnostics
import Files
import StageDescriptions
import TestSupport
import Testing
import TokenizeStage

@testable import Tokenization

@Suite struct TokenizeStageTests {
  private let folder = try! TemporaryFolder()

  private func run(_ settings: [String], output: String = "out") throws -> Artifact {
    let overrides = try (["validation=0.2", "test=0.2"] + settings).map(ConfigurationOverride.init(parsing:))
    let configuration = try TokenizeConfiguration.resolve(file: nil, overrides: overrides)
    return try TokenizeStage.run(
      StageRequest(configuration, inputs: [:], output: folder(output), digests: FileDigests()))
  }

  private func failure(_ settings: [String]) -> Failure? {
    do {
      _ = try run(settings)
      return nil
    } catch { return error as? Failure }
  }

  /// A change that alters these results raises `Tokenize.version` and puts the new digests here.
  @Test func `the results are those of this stage version`() throws {
    let artifact = try run(["corpus=\(fixture("corpus.txt"))", "vocabulary=400"])
    #expect(Tokenize.version == 2)
    let digests = Dictionary(
      uniqueKeysWithValues: artifact.manifest.files.map { ($0.path, String($0.sha256.prefix(16))) })
    #expect(
      digests == [
        "tokenizer.json": "6fbe6606658d4b56",
        "train-00000.tokens": "84f1baed0e4d9bd9", "train.documents": "54df9d790ebb3b58",
        "validation-00000.tokens": "cef697f5a3902b34", "validation.documents": "3a1891caed01801e",
        "test-00000.tokens": "3cd725d75eb3d80c", "test.documents": "59707864d54662e8",
      ])
  }

  @Test func `the number of threads does not change the result`() throws {
    let texts = (1...6).map { motley(seed: UInt64($0), parts: 2000) }
    for (index, text) in texts.enumerated() { try folder.write(text, to: "texts/\(index).txt") }
    let corpus = "corpus=\(folder("texts"))"
    let one = try run([corpus, "vocabulary=500", "threads=1"], output: "one")
    let three = try run([corpus, "vocabulary=500", "threads=3"], output: "three")
    #expect(one.key == three.key)
    #expect(try contents(one.path) == contents(three.path))
  }

  @Test func `the tokens decode to the text`() throws {
    let artifact = try run(["corpus=\(fixture("corpus.txt"))", "vocabulary=500"])
    let tokens = try TokensArtifact(artifact)
    let tokenizer = try tokens.loadTokenizer()
    let text = try Split.allCases.flatMap { split -> [UInt8] in
      let part = tokens.split(split)
      #expect(part.documents.count == 1)
      #expect(try part.tokens(in: 0..<part.count).last == tokens.endOfText)
      return tokenizer.decode(try part.tokens(in: 0..<part.count - 1))
    }
    #expect(try Files.read(fixture("corpus.txt")) == text)
  }

  @Test func `uses a given vocabulary`() throws {
    let artifact = try run(["corpus=\(fixture("corpus.txt"))", "tokenizer=\(fixture("tokenizer.json"))"])
    #expect(try TokensArtifact(artifact).loadTokenizer().vocabulary == fixtureTokenizer.vocabulary)
    let inputs = artifact.manifest.inputs.map(\.name)
    #expect(inputs == ["corpus/0/corpus.txt", "tokenizer"])
  }

  @Test func `learns the vocabulary only from the training text`() throws {
    let train = String(repeating: "aaaa bbbb\n", count: 800)
    let rest = String(repeating: "zzzz yyyy\n", count: 400)
    try folder.write(train + rest, to: "text.txt")
    let artifact = try run(["corpus=\(folder("text.txt"))", "vocabulary=260", "test=0.1"])
    let tokens = try TokensArtifact(artifact).loadTokenizer().vocabulary.tokens
    #expect(!tokens.contains(Array("zz".utf8)))
  }

  @Test func `the result is the same after an interrupted run`() throws {
    let settings = ["corpus=\(fixture("corpus.txt"))", "vocabulary=300"]
    let first = try run(settings, output: "first")
    let work = folder("second.partial")
    // A killed run leaves its identity and incomplete files.
    let killed = try run(settings, output: "second")
    try Files.makeFolder("\(work)/content")
    try Files.rename("\(killed.path)/train-00000.tokens", to: "\(work)/content/train-00000.tokens")
    try Files.remove(killed.path)
    try Files.remove(work)
    #expect(try contents(run(settings, output: "second").path) == contents(first.path))
  }

  @Test func `refuses wrong settings, missing files and texts that are too short`() throws {
    let corpus = "corpus=\(fixture("corpus.txt"))"
    #expect(failure(["corpus=[]"])?.status == .badConfiguration)
    #expect(failure(["corpus=none.txt"])?.status == .missingInput)
    #expect(failure([corpus, "vocabulary=100"])?.status == .badConfiguration)
    #expect(failure([corpus, "vocabulary=300", "tokenizer=x"])?.message.contains("a tokenizer is given") == true)
    #expect(failure([corpus, "tokenizer=none.json"])?.status == .missingInput)
    #expect(failure([corpus, "test=0.9"])?.status == .badConfiguration)
    #expect(failure([corpus, "vocabulary=100000"])?.message.contains("entries at most") == true)
    try folder.write("", to: "empty.txt")
    let empty = Failure(.badData, "there is no text in it", at: folder("empty.txt"))
    #expect(failure(["corpus=\(folder("empty.txt"))"]) == empty)
    #expect(failure(["corpus=/dev/null"]) == Failure(.badData, "is not a regular file", at: "/dev/null"))
    try folder.write("a", to: "tiny.txt")
    #expect(failure(["corpus=\(folder("tiny.txt"))", "vocabulary=257"])?.message.contains("too little text") == true)
  }
}
