import Diagnostics

/// The shares of the splits in a corpus without splits of its own: one block each, in the order train, validation,
/// test.
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

/// The places where one split ends and the next begins, in bytes of the documents without a split of their own.
public struct SplitPlan: Equatable {
  struct Cut: Equatable {
    let offset: Int
    /// Whether the cut is between two documents; otherwise it is inside one, at the next line end.
    let isBetweenDocuments: Bool
    /// The split that begins there.
    let next: Split
  }

  let first: Split
  let cuts: [Cut]

  /// The most that a cut between documents may miss the wanted place, as a share of the smaller of the two blocks.
  /// Beyond this a document is cut in two.
  private static let tolerance = 0.1

  /// A plan for measured documents.
  public init(_ fractions: SplitFractions, of documents: DocumentMeasurer) {
    self.init(fractions, documentBoundaries: documents.boundaries)
  }

  /// - Parameter boundaries: the offset of each document, and the end of the last, in order.
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

/// Measures the documents of a corpus for a `SplitPlan`, in a first pass.
public final class DocumentMeasurer: DocumentReceiver {
  /// With more starts than this, every second one is dropped: the rest are close enough for the cuts.
  private static let mostStarts = 1 << 20

  /// The number of bytes of all documents.
  public private(set) var totalBytes = 0
  /// The number of bytes of documents without a split of their own, and the offsets at which they begin.
  private var offset = 0
  private var starts: [Int] = []
  private var documents = 0
  private var stride = 1
  private var isCounting = false

  public init() {}

  /// The offsets at which documents begin, and the end of the last.
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
