import Torch

/// Classification of pictures by the embeddings of class names, without training.
public struct ZeroShot: Equatable, Sendable {
  /// A class and the share of its pictures that are classified rightly.
  public struct ClassRecall: Equatable, Sendable {
    public let label: Int
    public let pictures: Int
    public let recall: Double
  }

  public static let depths = [1, 5]

  /// The share of pictures whose class is among the first k, for each depth; nil where there are fewer than k classes.
  public let accuracy: [Double?]
  /// Of the classes that occur, ascending.
  public let classes: [ClassRecall]
  public let pictures: Int
  public let classCount: Int
  /// How many pictures have another class with the score of their own.
  public let ties: Int

  /// The mean of the recalls of the classes that occur, as CLIP_benchmark's `mean_per_class_recall`.
  public var meanPerClassRecall: Double { classes.reduce(0) { $0 + $1.recall } / Double(classes.count) }

  /// - Parameters:
  ///   - images: unit rows, float32 [P, D], P at least 1.
  ///   - classes: float32 [classes, D], from ``embeddings(ofPrompts:templates:)``.
  ///   - labels: the class of each picture.
  public init(images: Tensor, classes: Tensor, labels: [Int]) {
    precondition(!labels.isEmpty && images.size(0) == labels.count, "a label for each picture")
    let found = DirectionMetrics(
      ScoreTable(queries: images, candidates: classes), own: labels.map { [$0] })
    classCount = classes.size(0)
    let count = classCount
    accuracy = Self.depths.map { $0 <= count ? found.recall(at: $0) : nil }
    pictures = labels.count
    ties = found.ties
    let hits = found.hits(at: 1)
    self.classes = Set(labels).sorted().map { label in
      let own = labels.indices.filter { labels[$0] == label }
      return ClassRecall(
        label: label, pictures: own.count, recall: own.reduce(0) { $0 + hits[$1] } / Double(own.count))
    }
  }

  /// One row for each class: the mean over its templates of unit rows, of unit length again, float32 [classes, D].
  ///
  /// - Parameter prompts: any lengths, [classes · templates, D], the classes one after the other.
  public static func embeddings(ofPrompts prompts: Tensor, templates: Int) -> Tensor {
    withoutGradients {
      let unit = prompts / prompts.norm(1, keeping: true)
      let mean = unit.reshaped([prompts.size(0) / templates, templates, prompts.size(1)]).mean(1)
      return mean / mean.norm(1, keeping: true)
    }
  }
}
