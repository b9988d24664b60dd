import Diagnostics
import TempNet
import TemperatureSettings

extension TemperaturePolicy {
  /// The policy by which a model generates text.
  ///
  /// - Parameters:
  ///   - specification: nil for a TempNet if there is one, and temperature 1 otherwise.
  ///   - given: the TempNet that the user named. It goes before the model's own, and lends `exact` its entropy and bounds.
  ///   - own: reads the TempNet that was trained jointly with the model; nil without one. Not called for policies that do
  ///     without, so that a damaged file stops none of them.
  ///   - vocabulary: the number of logits.
  ///   - network: reads the TempNet at a path.
  /// - Throws: `Failure` with `.badConfiguration`, without a place, for a policy that this model cannot have; and what the
  ///   closures throw.
  public static func forGeneration(
    _ specification: PolicySpecification?, given: TemperatureNetwork?, own: () throws -> TemperatureNetwork?,
    vocabulary: Int, network: (_ path: String) throws -> TemperatureNetwork
  ) throws -> TemperaturePolicy {
    let own = try specification.readsOwnNetwork ? own() : nil
    let leading = given ?? own
    guard var specification else { return leading.map { .tempnet($0) } ?? .fixed(1) }
    // The rule replaces this temperature token by token.
    if case .lineStarts(_, let low) = specification { return .fixed(low) }
    if case .exact(entropy: nil) = specification { specification = .exact(entropy: leading?.settings.targetEntropy) }
    let policy = try TemperaturePolicy(
      specification, own: own, bounds: leading?.settings.bounds ?? widestBounds, vocabulary: vocabulary,
      network: network)
    guard let policy else {
      throw Failure(.badConfiguration, "exact needs an entropy (exact:4.5) or a TempNet to take it from")
    }
    return policy
  }
}

extension PolicySpecification? {
  fileprivate var readsOwnNetwork: Bool {
    switch self {
    case nil, .model, .exact: true
    case .fixed, .entropyDynamic, .dynamicRange, .entropyLevels, .divergenceBall, .lineStarts, .turningPoint, .tuned,
      .artifact:
      false
    }
  }
}
