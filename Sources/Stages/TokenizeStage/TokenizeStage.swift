import Artifacts
import Diagnostics
import Files
import JSON
import StageDescriptions
import Tokenization

/// Turns a corpus into a `tokens` artifact. It keeps no checkpoints: it is quick, and a run that was killed starts over.
public enum TokenizeStage {
  public static func run(_ request: StageRequest<Tokenize>) throws -> Artifact {
    try request.make { try tokenize(request.configuration, $0) }
  }

  /// - Returns: the summary.
  private static func tokenize(_ configuration: TokenizeConfiguration, _ builder: ArtifactBuilder) throws -> JSON {
    let digests = FileDigests.forProgram
    let threads = configuration.threads ?? Machine.cores
    // A vocabulary of 50,000 entries takes as long to read as 100 MB of text to measure.
    let given = configuration.tokenizer.map { path in
      BackgroundValue(isConcurrent: threads > 1) { try Tokenizer(path: path) }
    }
    var text = try SplitText(configuration, digests)
    try digests.save()
    let tokenizer = try given?.value() ?? trained(configuration, &text, threads: threads)
    let file = try builder.path(for: TokensArtifact.tokenizerFile)
    let written = BackgroundValue(isConcurrent: threads > 1) { try AtomicFile.write(tokenizer.fileText, to: file) }
    // Also after a failure: no thread may write once the builder is gone.
    defer { _ = try? written.value() }
    let totals = try encode(&text, tokenizer, configuration, threads: threads) { try builder.path(for: $0) }
    try written.value()
    try checkThatNoneIsEmpty(totals, text)
    return summary(tokenizer, totals, text)
  }

  private static func trained(
    _ configuration: TokenizeConfiguration, _ text: inout SplitText, threads: Int
  ) throws -> Tokenizer {
    let counter = CorpusWordCounter(threads: threads)
    // The vocabulary is trained on the training split only: validation and test must stay unseen.
    let counts = try text.read("counting words", only: .train, into: counter.receiver, finish: counter.finish)

    let progress = Progress("learning merges", unit: "entries", total: configuration.vocabulary)
    let vocabulary = try VocabularyTrainer.train(counts, size: configuration.vocabulary) { progress.update($0) }
    progress.finish(detail: "from \(counts.distinct) distinct words")
    return try Tokenizer(vocabulary, source: "the trained vocabulary")
  }

  private static func encode(
    _ text: inout SplitText, _ tokenizer: Tokenizer, _ configuration: TokenizeConfiguration, threads: Int,
    path: @escaping (String) throws -> String
  ) throws -> [(split: Split, totals: SplitTotals)] {
    let writers = try Split.allCases.map { split in
      (
        split,
        try TokenSplitWriter(
          split, vocabulary: tokenizer.vocabularySize, shardTokens: configuration.shardTokens, path: path)
      )
    }
    let encoder = CorpusEncoder(
      tokenizer, writers: Dictionary(uniqueKeysWithValues: writers), threads: threads)
    try text.read("encoding", into: encoder.receiver, finish: encoder.finish)
    for (_, writer) in writers { try writer.finish() }
    return writers.map { ($0, $1.totals) }
  }

  private static func checkThatNoneIsEmpty(
    _ totals: [(split: Split, totals: SplitTotals)], _ text: SplitText
  ) throws {
    for (split, totals) in totals where totals.documents == 0 && text.promises(split) {
      throw Failure(.badData, "there is too little text: none is left for the split '\(split.rawValue)'", at: "corpus")
    }
  }

  private static func summary(
    _ tokenizer: Tokenizer, _ totals: [(split: Split, totals: SplitTotals)], _ text: SplitText
  ) -> JSON {
    var summary = TokensArtifact.summary(tokenizer, totals: totals, sources: text.sources)
    for (name, value) in text.oddities { summary[name] = value }
    if !tokenizer.warnings.isEmpty { summary["tokenizerWarnings"] = .array(tokenizer.warnings.map { .string($0) }) }
    return summary
  }
}
