import Artifacts
import Diagnostics
import JSON
import StageDescriptions
import Tokenization

/// A corpus and where its splits lie, read as often as needed.
struct SplitText {
  private let corpus: Corpus
  private let fractions: SplitFractions
  private let plan: SplitPlan
  private let bytes: Int?

  /// The irregularities of the texts, which the first reading collects and reports.
  private let findings = CorpusFindings()
  private var isInspected = false

  var sources: [Corpus.Source] { corpus.sources }
  var oddities: [(String, JSON)] { findings.summary }

  /// Looks through the corpus once where the places of the splits depend on its length.
  init(_ configuration: TokenizeConfiguration, _ digests: FileDigests) throws {
    corpus = try Corpus(
      paths: configuration.corpus, textField: configuration.field, format: configuration.format,
      unpackedLimit: configuration.unpackedLimit, digests: digests)
    fractions = SplitFractions(validation: configuration.validation, test: configuration.test)
    let measurer = DocumentMeasurer()
    if !corpus.hasSplits {
      let meter = Meter("measuring", total: corpus.expectedBytes, receiver: measurer)
      try corpus.read(into: meter, noting: findings)
      meter.finish()
      findings.warn()
      isInspected = true
      guard measurer.totalBytes > 0 else {
        throw Failure(.badData, "there is no text in it", at: configuration.corpus.joined(separator: ", "))
      }
    }
    plan = SplitPlan(fractions, of: measurer)
    bytes = measurer.totalBytes > 0 ? measurer.totalBytes : corpus.expectedBytes
  }

  /// Whether there should be text in a split.
  func promises(_ split: Split) -> Bool {
    corpus.splits.contains(split) || !corpus.hasSplits && fractions.share(of: split) > 0
  }

  /// Hands over the documents of one split, or of all, each with its split.
  ///
  /// - Parameter finish: completes the receiver's pending work; the progress includes its time.
  mutating func read<Result>(
    _ title: String, only split: Split? = nil, into receiver: some DocumentReceiver<Split>,
    finish: () throws -> Result
  ) throws -> Result {
    let filter = SplitFilter(split, receiver: receiver)
    let meter = Meter(title, total: bytes, receiver: DocumentSplitter(plan, receiver: filter))
    try corpus.read(into: meter, noting: isInspected ? nil : findings)
    let result = try finish()
    meter.finish()
    if !isInspected { findings.warn() }
    isInspected = true
    return result
  }
}

/// Passes documents on and shows how many bytes went by.
private final class Meter<Receiver: DocumentReceiver>: DocumentReceiver {
  private let receiver: Receiver
  private let progress: Progress
  private var bytes = 0

  init(_ title: String, total: Int?, receiver: Receiver) {
    self.receiver = receiver
    progress = Progress(title, unit: "bytes", total: total)
  }

  func begin(_ label: Receiver.Label) throws { try receiver.begin(label) }

  func append(_ text: UnsafeBufferPointer<UInt8>) throws {
    try receiver.append(text)
    bytes += text.count
    progress.update(bytes)
  }

  func end() throws { try receiver.end() }

  func finish() { progress.finish() }
}

/// Passes the documents of one split on, or of all.
private final class SplitFilter<Receiver: DocumentReceiver<Split>>: DocumentReceiver {
  private let wanted: Split?
  private let receiver: Receiver
  private var isPassing = false

  init(_ wanted: Split?, receiver: Receiver) {
    self.wanted = wanted
    self.receiver = receiver
  }

  func begin(_ split: Split) throws {
    isPassing = wanted == nil || wanted == split
    if isPassing { try receiver.begin(split) }
  }

  func append(_ text: UnsafeBufferPointer<UInt8>) throws {
    if isPassing { try receiver.append(text) }
  }

  func end() throws {
    if isPassing { try receiver.end() }
  }
}
