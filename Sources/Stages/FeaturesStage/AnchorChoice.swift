import Pairs
import RetrievalEvaluation
import StageDescriptions
import Statistics
import TempNet
import TemperatureSettings
import Training

/// Which pictures or captions a fit learns from, which validate it, and what they are compared with.
///
/// Encoders are nearer to what they were trained on than to anything else: temperatures of training anchors are not those of
/// others. So the anchors may come from the validation split, and a share of them, in whole clusters, validate the fit.
struct AnchorChoice {
  private let configuration: FeaturesConfiguration
  private let side: EmbeddingSide
  private let table: PairTable
  /// Of all pictures or captions of the side, by position.
  private let groups: [Int]

  /// Anchors and what they are compared with.
  struct Comparison {
    /// Positions among all pictures or captions, ascending.
    var anchors: [Int]
    /// Of each anchor the indices of its own candidates, ascending.
    var own: [[Int]]
    /// Positions on the other side, ascending.
    let candidates: [Int]
  }

  init(_ configuration: FeaturesConfiguration, _ side: EmbeddingSide, _ table: PairTable) {
    (self.configuration, self.side, self.table) = (configuration, side, table)
    groups = side == .image ? table.pictures.map(\.group) : table.captions.map(\.group)
  }

  /// The split whose anchors a part has.
  func split(of part: FeaturesArtifact.Part) -> PairSplit {
    if configuration.heldOut == nil { return part == .train ? .train : .validation }
    return configuration.anchors == .train ? .train : .validation
  }

  func comparison(_ part: FeaturesArtifact.Part) -> Comparison {
    let split = split(of: part)
    let all = comparison(of: split)
    guard let share = configuration.heldOut else { return all }
    let held = heldOut(share, of: all, split)
    return all.filter { held.contains($0) == (part == .validation) }
  }

  /// All anchors of a split. Where training and validation are one gallery, or validation anchors are to be new to the
  /// encoders, those that equal a training one are no validation anchors.
  private func comparison(of split: PairSplit) -> Comparison {
    let members = Comparison(set(table, split), side)
    let isJoined = configuration.candidates == .all
    let isNewOnly = split == .validation && (isJoined || configuration.anchors == .validation)
    let trained = isNewOnly ? trainedGroups : []
    guard isJoined else { return members.filter { !trained.contains(groups[$0]) } }
    let kept = Set(members.anchors.map { groups[$0] }).subtracting(trained)
    return Comparison(set(table.joined([.train, .validation]), .train), side).filter { kept.contains(groups[$0]) }
  }

  private func set(_ table: PairTable, _ split: PairSplit) -> RetrievalSet {
    RetrievalSet(table, split: split, captions: configuration.captions, isMerged: true)
  }

  /// Of the side's training pictures or captions.
  private var trainedGroups: Set<Int> {
    let positions = side == .image ? table.pictures(of: .train) : table.captions(of: .train)
    return Set(positions.map { groups[$0] })
  }

  /// Anchors of some clusters of a split, drawn at random until no further one fits into the share.
  private func heldOut(_ share: Double, of comparison: Comparison, _ split: PairSplit) -> Set<Int> {
    let set = set(table, split)
    let members = side == .image ? set.pictures : set.captions
    let offset = side == .image ? 0 : set.pictures.count
    let clusterOfGroup = Dictionary(
      uniqueKeysWithValues: members.positions.indices.map {
        (groups[members.positions[$0]], set.clusters.ofItem[offset + $0])
      })
    let clusters = Dictionary(grouping: comparison.anchors) { clusterOfGroup[groups[$0]]! }
    let names = clusters.keys.sorted()
    var room = Int((share * Double(comparison.anchors.count)).rounded())
    var held: Set<Int> = []
    guard !names.isEmpty else { return held }
    let order = Shuffle(count: names.count, seed: Self.seed)
    for index in names.indices {
      let cluster = clusters[names[order[index]]]!
      guard cluster.count <= room else { continue }
      held.formUnion(cluster)
      room -= cluster.count
    }
    return held
  }

  /// The same anchors are held out of every fit.
  private static let seed: UInt64 = 0
}

extension AnchorChoice.Comparison {
  fileprivate init(_ set: RetrievalSet, _ side: EmbeddingSide) {
    let (asking, searched) = side == .image ? (set.pictures, set.captions) : (set.captions, set.pictures)
    self.init(anchors: asking.positions, own: asking.own, candidates: searched.positions)
  }

  fileprivate func filter(_ isKept: (Int) -> Bool) -> AnchorChoice.Comparison {
    var result = self
    let kept = anchors.indices.filter { isKept(anchors[$0]) }
    result.anchors = kept.map { anchors[$0] }
    result.own = kept.map { own[$0] }
    return result
  }
}

extension PairTable {
  /// With the pictures of some splits as those of training.
  fileprivate func joined(_ splits: [PairSplit]) -> PairTable {
    var table = self
    for position in pictures.indices where splits.contains(pictures[position].split) {
      table.pictures[position].split = .train
    }
    return table
  }
}
