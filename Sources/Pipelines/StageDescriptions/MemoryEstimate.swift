import Artifacts
import Diagnostics
import JSON

/// About how much memory a stage takes at most, for people who plan: rounded up from measured peaks, and no limit that
/// anything is held to.
public struct MemoryEstimate: Equatable, Sendable {
  public var bytes: Int
  /// Inputs that are not made yet and add to it as many bytes as their files have.
  public var beside: [String]

  /// What a program with libtorch has in memory before it reads anything.
  public static let program = 200 << 20

  public init(_ bytes: Int, beside: [String] = []) { (self.bytes, self.beside) = (bytes, beside) }

  /// With what inputs hold that a stage reads into memory whole.
  func reading(_ inputs: [PlannedInput], _ name: String) -> MemoryEstimate {
    var estimate = self
    estimate.bytes += inputs.reduce(0) { $0 + ($1.bytes ?? 0) }
    if inputs.contains(where: { $0.bytes == nil }) { estimate.beside.append(name) }
    return estimate
  }

  /// - Parameter available: the memory of the machine, in bytes.
  public func words(available: Int) -> String {
    "memory: about \(max(1, bytes >> 20)) MiB" + beside.map { " and its \($0)" }.joined()
      + (bytes > available ? ", more than the \(available >> 20) MiB of this machine" : "")
  }
}

/// What is known of an artifact that a stage will read, before anything runs.
public struct PlannedInput: Sendable {
  /// The canonical configuration of the stage that makes it.
  public let configuration: JSON
  /// The size of its files; nil where it is not made yet.
  public let bytes: Int?

  public init(configuration: JSON, bytes: Int?) { (self.configuration, self.bytes) = (configuration, bytes) }
}
