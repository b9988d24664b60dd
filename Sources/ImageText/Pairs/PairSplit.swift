/// The part of the pairs that a picture belongs to, with its captions.
///
/// Training pairs are trained on, validation pairs decide every choice, and each test is used once. Tests have names, so
/// that one set of pairs can hold several, such as `test` (concepts never seen) and `style` (an art style never seen).
public struct PairSplit: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let name: String

  public static let train = PairSplit("train")
  public static let validation = PairSplit("validation")
  public static let test = PairSplit("test")

  /// - Parameter name: a plain name (`String.isPlainName`).
  public init(_ name: String) { self.name = name }

  /// Whether it is one of the tests: neither trained on nor chosen by.
  public var isTest: Bool { self != .train && self != .validation }
  public var description: String { name }

  /// Training first, then validation, then `test`, then further tests by name.
  public static func < (a: PairSplit, b: PairSplit) -> Bool { (a.rank, a.name) < (b.rank, b.name) }

  private var rank: Int {
    switch self {
    case .train: 0
    case .validation: 1
    case .test: 2
    default: 3
    }
  }
}
