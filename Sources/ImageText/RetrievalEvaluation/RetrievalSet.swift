import Pairs
import Statistics

/// The pictures and captions of one split, which search for each other, and who belongs to whom.
///
/// A caption is a picture's own if it was written for it or for an equal picture, or if its text equals one of those. So
/// several pictures of one caption are all its own.
public struct RetrievalSet: Sendable {
  public let split: PairSplit
  public let pictures: Candidates
  public let captions: Candidates
  /// Pictures and captions that belong together, pictures first: those of one concept, equal ones, and each caption with
  /// its picture. Differences are resampled by these clusters.
  public let clusters: Clusters

  /// One side of a set.
  public struct Candidates: Equatable, Sendable {
    /// Their positions in the table, ascending.
    public let positions: [Int]
    /// For each, the index of the first that equals it, often itself.
    public let first: [Int]
    /// For each, the indices of its own on the other side, ascending.
    public let own: [[Int]]

    public var count: Int { positions.count }

    public init(positions: [Int], first: [Int], own: [[Int]]) {
      precondition(positions.count == first.count && positions.count == own.count, "three lists of one length")
      (self.positions, self.first, self.own) = (positions, first, own)
    }
  }

  /// - Parameter isMerged: whether equal captions, and equal pictures, take part once.
  public init(_ table: PairTable, split: PairSplit, captions choice: CaptionChoice, isMerged: Bool) {
    self.split = split
    let allPictures = table.pictures(of: split)
    let allCaptions = table.captions(of: split, isFirstOnly: choice == .titles)
    let pictureGroups = Groups(allPictures) { table.pictures[$0].group }
    let captionGroups = Groups(allCaptions) { table.captions[$0].group }

    // Ownership between groups, from every caption that takes part.
    var captionsOf = [Set<Int>](repeating: [], count: pictureGroups.count)
    var picturesOf = [Set<Int>](repeating: [], count: captionGroups.count)
    for position in allCaptions {
      let caption = table.captions[position]
      guard let picture = pictureGroups.number(of: table.pictures[caption.picture].group),
        let text = captionGroups.number(of: caption.group)
      else { continue }
      captionsOf[picture].insert(text)
      picturesOf[text].insert(picture)
    }
    let shownPictures = isMerged ? pictureGroups.firstMembers : allPictures
    let shownCaptions = isMerged ? captionGroups.firstMembers : allCaptions
    let pictureOrder = Order(shownPictures.map { pictureGroups.number(of: table.pictures[$0].group)! })
    let captionOrder = Order(shownCaptions.map { captionGroups.number(of: table.captions[$0].group)! })
    pictures = Candidates(
      positions: shownPictures, first: pictureOrder.first, own: captionOrder.members(of: captionsOf, pictureOrder))
    captions = Candidates(
      positions: shownCaptions, first: captionOrder.first, own: pictureOrder.members(of: picturesOf, captionOrder))
    clusters = Self.clusters(table, shownPictures, shownCaptions, pictures.own)
  }

  /// Who asks and who is searched in a direction.
  public func sides(_ direction: RetrievalDirection) -> (asking: Candidates, searched: Candidates) {
    direction == .imageToText ? (pictures, captions) : (captions, pictures)
  }

  private static func clusters(
    _ table: PairTable, _ pictures: [Int], _ captions: [Int], _ own: [[Int]]
  ) -> Clusters {
    var sets = DisjointSets(count: pictures.count + captions.count)
    var ofConcept: [String: Int] = [:]
    for (index, position) in pictures.enumerated() {
      for caption in own[index] { sets.join(index, pictures.count + caption) }
      guard let concept = table.pictures[position].concept else { continue }
      if let other = ofConcept[concept] { sets.join(index, other) } else { ofConcept[concept] = index }
    }
    return Clusters(labels: (0..<pictures.count + captions.count).map { sets.root(of: $0) })
  }
}

/// The groups of a table that occur in a split, numbered in the order in which they do.
private struct Groups {
  private var numbers: [Int: Int] = [:]
  private(set) var firstMembers: [Int] = []
  var count: Int { firstMembers.count }

  init(_ positions: [Int], group: (Int) -> Int) {
    for position in positions where numbers[group(position)] == nil {
      numbers[group(position)] = firstMembers.count
      firstMembers.append(position)
    }
  }

  func number(of group: Int) -> Int? { numbers[group] }
}

/// Candidates by the numbers of their groups.
private struct Order {
  let groups: [Int]
  let first: [Int]
  private let ofGroup: [Int: [Int]]

  init(_ groups: [Int]) {
    self.groups = groups
    var members: [Int: [Int]] = [:]
    for (index, group) in groups.enumerated() { members[group, default: []].append(index) }
    ofGroup = members
    first = groups.map { members[$0]![0] }
  }

  /// The indices of these candidates that each candidate of the other side owns.
  func members(of owned: [Set<Int>], _ owners: Order) -> [[Int]] {
    owners.groups.map { owner in owned[owner].flatMap { ofGroup[$0] ?? [] }.sorted() }
  }
}

/// Sets that are joined pair by pair (Tarjan 1975).
private struct DisjointSets {
  private var parent: [Int]

  init(count: Int) { parent = Array(0..<count) }

  mutating func root(of element: Int) -> Int {
    var element = element
    while parent[element] != element {
      parent[element] = parent[parent[element]]
      element = parent[element]
    }
    return element
  }

  /// The smaller root stays, so that the result does not depend on the order of joins.
  mutating func join(_ a: Int, _ b: Int) {
    let (a, b) = (root(of: a), root(of: b))
    parent[max(a, b)] = min(a, b)
  }
}
