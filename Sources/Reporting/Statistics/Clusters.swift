/// Which items belong together: clusters of items that are alike, so that only clusters count as independent.
public struct Clusters: Equatable, Sendable {
  /// The number of clusters; each has at least one item.
  public let count: Int
  /// The cluster of each item, 0 to `count` - 1, numbered in the order in which clusters first occur.
  public let ofItem: [Int]

  /// Items with equal labels form a cluster.
  public init<Label: Hashable>(labels: [Label]) {
    var numbers: [Label: Int] = [:]
    ofItem = labels.map { label in
      if let number = numbers[label] { return number }
      let number = numbers.count
      numbers[label] = number
      return number
    }
    count = numbers.count
  }

  private init(count: Int, ofItem: [Int]) { (self.count, self.ofItem) = (count, ofItem) }

  /// Every item is a cluster of its own.
  public static func single(items: Int) -> Clusters { Clusters(count: items, ofItem: Array(0..<items)) }

  /// Contiguous blocks; the last one may be short. Drawing them is the non-overlapping block bootstrap of Carlstein (1986).
  public static func blocks(of length: Int, items: Int) -> Clusters {
    Clusters(count: (items + length - 1) / length, ofItem: (0..<items).map { $0 / length })
  }

  /// The default length of blocks: the length over which items depend on each other, but short enough for a hundred blocks
  /// and long enough for at most two thousand.
  ///
  /// A handful of blocks says little of how blocks vary, and more than two thousand only cost time.
  public static func automaticBlockLength(items: Int, dependence: Int) -> Int {
    let longest = max(1, items / 100)
    let shortest = (items + 1999) / 2000
    return max(shortest, min(dependence, longest))
  }

  /// With fewer clusters than this, intervals hold the truth less often than they say, by more than two points of a hundred.
  public static let fewestReliable = 50

  /// The sum of one number per item within each cluster.
  public func sums(_ values: [Double]) -> [Double] {
    precondition(values.count == ofItem.count, "\(values.count) numbers for \(ofItem.count) items")
    var sums = [Double](repeating: 0, count: count)
    for (cluster, value) in zip(ofItem, values) { sums[cluster] += value }
    return sums
  }

  /// The number of items in each cluster.
  public var sizes: [Int] {
    var sizes = [Int](repeating: 0, count: count)
    for cluster in ofItem { sizes[cluster] += 1 }
    return sizes
  }
}
