import Diagnostics
import Pairs
import RandomNumbers
import StageDescriptions
import Training

/// The pairs of one step.
struct PairBatch: Equatable {
  struct Pair: Equatable {
    let picture: Int
    let caption: Int
    /// Which version of the picture: 0 is the picture itself, k its augmented copy k - 1.
    let version: Int
  }

  /// By the positions of their pictures, rising; so are the positions of their captions.
  let pairs: [Pair]
  /// How many pairs came up in this step whose picture or caption was in the batch already: they got another caption, or
  /// were put off.
  let dealtApart: Int

  var pictures: [Int] { pairs.map(\.picture) }
  var captions: [Int] { pairs.map(\.caption) }
}

/// Deals the training pairs into batches, as a function of the seed and the step.
///
/// Every picture comes up once an epoch, with one of its captions. A batch holds equal pictures and equal captions at most
/// once: they would be negatives of their own pair. Where the caption that is drawn is in the batch already, the picture's
/// next one is taken; where none is left the picture is put off, stands first in the next batch, and does not come up again
/// meanwhile. Every batch is full, and what is left at an epoch's end opens the next one.
///
/// Batches follow from those before. So a step is found by dealing from the beginning, some 100 nanoseconds a pair.
final class PairDealer {
  private let table: PairTable
  private let pictures: [Int]
  private let captions: CaptionChoice
  private let versions: Int
  private let batch: Int
  private let seed: UInt64
  private let order: EpochOrder
  private var state = State()

  private struct State {
    /// The step that is dealt next.
    var step = 0
    /// The place in the endless order of pictures.
    var position = 0
    var waiting: [EpochOrder.Place] = []
    /// By position, of those that have been dealt.
    var seenPictures: Set<Int> = []
    var seenCaptions: Set<Int> = []
  }

  /// - Parameter versions: of each picture, itself among them.
  /// - Throws: `Failure(.badConfiguration)` for a batch that is too large for the training pairs, with the largest that fits.
  init(
    _ table: PairTable, captions: CaptionChoice, versions: Int, batch: Int, seed: Int
  ) throws {
    self.table = table
    pictures = table.pictures(of: .train)
    (self.captions, self.versions, self.batch, self.seed) = (captions, versions, batch, UInt64(seed))
    let (largest, reason) = Self.largestBatch(table, pictures, captions)
    guard batch <= largest else {
      throw Failure(
        .badConfiguration,
        largest < 2
          ? "there is no batch for \(pictures.count) training pictures: \(reason)"
          : "a batch of \(batch) is too large: \(reason); the largest that fits is \(largest)", at: "batch")
    }
    order = EpochOrder(count: pictures.count, seed: self.seed)
  }

  /// How many pictures are dealt in an epoch.
  var count: Int { pictures.count }

  /// The largest batch: half of the pictures, and one of each group of equal pictures or captions.
  private static func largestBatch(
    _ table: PairTable, _ pictures: [Int], _ captions: CaptionChoice
  ) -> (Int, reason: String) {
    let differentPictures = Set(pictures.map { table.pictures[$0].group }).count
    let differentCaptions = Set(
      pictures.flatMap { position in
        let own = table.pictures[position].captions
        return (captions == .titles ? own.prefix(1) : own).map { table.captions[$0].group }
      }
    ).count
    let half = pictures.count / 2
    let least = min(half, differentPictures, differentCaptions)
    if least == half {
      return (half, "there are \(pictures.count) training pictures, and two batches are the least")
    }
    return (
      least,
      "there are \(least) different \(least == differentPictures ? "pictures" : "captions") in training, and a batch takes "
        + "each once"
    )
  }

  /// The pairs of a step, counted from 0.
  ///
  /// - Throws: `Failure(.badConfiguration)` where all pictures together do not fill a batch.
  func batch(step: Int) throws -> PairBatch {
    try goOn(to: step)
    return try deal()
  }

  /// How many of the training pictures and captions no step before the given one has had.
  func unseen(before step: Int) throws -> (pictures: Int, captions: Int) {
    try goOn(to: step)
    let all = pictures.reduce(0) { $0 + (captions == .titles ? 1 : table.pictures[$1].captions.count) }
    return (pictures.count - state.seenPictures.count, all - state.seenCaptions.count)
  }

  private func goOn(to step: Int) throws {
    if step < state.step { state = State() }
    while state.step < step { _ = try deal() }
  }

  private func deal() throws -> PairBatch {
    var batch = Batch(table)
    var waiting: [EpochOrder.Place] = []
    for place in state.waiting {
      if batch.pairs.count == self.batch || !batch.take(candidates(at: place)) { waiting.append(place) }
    }
    let before = waiting.count
    var isWaiting = Set(waiting.map(\.item))
    let start = state.position
    while batch.pairs.count < self.batch {
      guard state.position - start <= 2 * pictures.count else {
        throw Failure(
          .badConfiguration,
          "all training pictures together hold no \(self.batch) pairs of different captions; choose a smaller batch",
          at: "batch")
      }
      let places = order.places(state.position..<state.position + self.batch - batch.pairs.count)
      state.position += places.count
      for place in places where !isWaiting.contains(place.item) && !batch.take(candidates(at: place)) {
        waiting.append(place)
        isWaiting.insert(place.item)
      }
    }
    for pair in batch.pairs {
      state.seenPictures.insert(pair.picture)
      state.seenCaptions.insert(pair.caption)
    }
    state.waiting = waiting
    state.step += 1
    return PairBatch(
      pairs: batch.pairs.sorted { $0.picture < $1.picture }, dealtApart: waiting.count - before + batch.replaced)
  }

  /// A batch that is being filled.
  private struct Batch {
    let table: PairTable
    var pairs: [PairBatch.Pair] = []
    private var pictureGroups: Set<Int> = []
    private var captionGroups: Set<Int> = []

    init(_ table: PairTable) { self.table = table }

    /// How many pairs have another caption than the one that was drawn.
    private(set) var replaced = 0

    /// Takes the first of a picture's pairs whose caption is not in the batch; false where there is none, or where an equal
    /// picture is in it.
    mutating func take(_ candidates: some Collection<PairBatch.Pair>) -> Bool {
      let picture = table.pictures[candidates.first!.picture].group
      guard !pictureGroups.contains(picture) else { return false }
      for (index, pair) in candidates.enumerated() {
        guard captionGroups.insert(table.captions[pair.caption].group).inserted else { continue }
        pictureGroups.insert(picture)
        pairs.append(pair)
        if index > 0 { replaced += 1 }
        return true
      }
      return false
    }
  }

  /// The pairs of a place's picture in that epoch: the one that is drawn, then those with its other captions. Captions come up
  /// in a random order, each once before any comes up again.
  private func candidates(at place: EpochOrder.Place) -> some Collection<PairBatch.Pair> {
    let position = pictures[place.item]
    let own = table.pictures[position].captions
    let count = captions == .titles ? 1 : own.count
    let base = Seeds.derived(seed, .choice, index: position)
    let round = Shuffle(count: count, seed: SplitMix64.mixed(base ^ UInt64(place.epoch / count)))
    let version = Int(SplitMix64.mixed(~base ^ UInt64(place.epoch)) % UInt64(versions))
    return (0..<count).lazy.map { index in
      PairBatch.Pair(
        picture: position, caption: own.lowerBound + round[(place.epoch + index) % count], version: version)
    }
  }
}
