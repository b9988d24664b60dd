import Diagnostics

/// The parts of a corpus that has no splits of its own: one block each, in the order train, validation, test.
public struct SplitFractions: Equatable, Sendable {
  public let validation: Double
  public let test: Double

  public init(validation: Double, test: Double) {
    precondition(validation >= 0 && test >= 0 && validation + test <= 1)
    self.validation = validation
    self.test = test
  }

  public func share(of split: Split) -> Double {
    switch split {
    case .train: 1 - validation - test
    case .validation: validation
    case .test: test
    }
  }
}

/// Where one split ends and the next begins, in bytes of the documents that have no split of their own.
public struct SplitPlan: Equatable {
  struct Cut: Equatable {
    let offset: Int
    /// Whether the cut lies between two documents. Otherwise it lies inside one, at the next line end.
    let isBetweenDocuments: Bool
    /// What begins there.
    let next: Split
  }

  let first: Split
  let cuts: [Cut]

  /// A cut between documents is taken if it misses the wanted place by at most this share of the smaller of the two
  /// blocks it divides; otherwise a document is cut in two.
  private static let tolerance = 0.1

  /// A plan for the documents that were measured.
  public init(_ fractions: SplitFractions, of documents: DocumentMeasurer) {
    self.init(fractions, documentBoundaries: documents.boundaries)
  }

  /// - Parameter boundaries: the offsets at which documents begin, and the end of the last, in order.
  init(_ fractions: SplitFractions, documentBoundaries boundaries: [Int]) {
    let total = Double(boundaries.last ?? 0)
    let blocks = Split.allCases.filter { fractions.share(of: $0) > 0 }
    first = blocks[0]
    var share = 0.0
    cuts = zip(blocks, blocks.dropFirst()).map { block, next in
      share += fractions.share(of: block)
      let wanted = Int((total * share).rounded())
      let allowed = Self.tolerance * total * min(fractions.share(of: block), fractions.share(of: next))
      let nearest = boundaries.min { abs($0 - wanted) < abs($1 - wanted) } ?? 0
      let isNear = Double(abs(nearest - wanted)) <= allowed && nearest > 0 && Double(nearest) < total
      return Cut(offset: isNear ? nearest : wanted, isBetweenDocuments: isNear, next: next)
    }
  }
}

/// Learns where documents begin, as `SplitPlan` needs it: the first pass over a corpus.
public final class DocumentMeasurer: DocumentReceiver {
  /// More starts than this are thinned to every second one: so many documents need no finer cuts.
  private static let mostStarts = 1 << 20

  /// The number of bytes of all documents.
  public private(set) var totalBytes = 0
  /// The number of bytes of documents without a split of their own, and where some of them begin in those.
  private var offset = 0
  private var starts: [Int] = []
  private var documents = 0
  private var stride = 1
  private var isCounting = false

  public init() {}

  /// Where documents begin, and where the last one ends.
  var boundaries: [Int] { starts + [offset] }

  public func begin(_ split: Split?) {
    isCounting = split == nil
    guard isCounting else { return }
    if documents % stride == 0 { starts.append(offset) }
    documents += 1
    if starts.count == Self.mostStarts {
      starts = Swift.stride(from: 0, to: starts.count, by: 2).map { starts[$0] }
      stride *= 2
    }
  }

  public func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    totalBytes += bytes.count
    if isCounting { offset += bytes.count }
  }

  public func end() {}
}
