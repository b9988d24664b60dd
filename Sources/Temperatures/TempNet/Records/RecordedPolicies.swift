import Diagnostics
import TemperatureSettings
import Torch

/// Several policies for the same records. What TempNets ask of the logits is computed once for all of them.
public struct RecordedPolicies: Sendable {
  private let policies: [(policy: TemperaturePolicy, network: FoldedTemperatureNetwork?)]

  /// - Parameter head: the unembedding [V, d] and its bias [V]; nil where records have no hidden states.
  /// - Throws: `.badConfiguration`, without a place, for a TempNet where there are no hidden states.
  public init(_ policies: [TemperaturePolicy], head: (weight: Tensor, bias: Tensor?)?) throws {
    self.policies = try policies.map { policy in
      guard case .tempnet(let network) = policy else { return (policy, nil) }
      guard let head else {
        throw Failure(
          .badConfiguration,
          "a TempNet reads hidden states or all logits, which the records lack; score again with hidden=true")
      }
      return (policy, withoutGradients { network.folded(unembedding: head.weight, bias: head.bias) })
    }
  }

  public var count: Int { policies.count }

  /// Of each policy the temperatures, float32 [N].
  public func callAsFunction(_ records: TokenRecords) -> [Tensor] {
    withoutGradients {
      let needsStatistics = policies.contains { $0.network != nil }
      let statistics = needsStatistics ? records.statistics : nil
      return policies.map { policy, network in
        network.map { $0(hidden: records.hidden!, logits: statistics!).to(.float32) }
          ?? policy.temperatures(of: records).to(.float32)
      }
    }
  }
}

extension TemperaturePolicy {
  /// The temperatures, float64 [N], of a policy without a network.
  fileprivate func temperatures(of records: TokenRecords) -> Tensor {
    let profile = records.profile
    switch self {
    case .fixed(let tau): return .full([records.count], tau, dtype: .float64, device: records.label.device)
    case .exact(let entropy, let bounds): return profile.optimum(entropy: entropy, bounds: bounds)
    case .divergenceBall(let radius):
      return DivergenceBall.temperatures(profile: profile, radius: radius)
    case .tempnet, .entropyDynamic, .dynamicRange, .entropyLevels:
      guard let found = temperatures(entropy: records.entropy, alternatives: records.vocabulary) else {
        preconditionFailure("a TempNet needs more than a profile")
      }
      return found
    }
  }
}
