import Diagnostics
import Generation
import TempNet
import TemperatureSettings
import Testing

/// The choice between the policy that a user names, a TempNet, and the model's own.
@Suite struct PolicyChoiceTests {
  private struct Damaged: Error {}

  private func choose(
    _ text: String?, own: () throws -> TemperatureNetwork? = { nil }
  ) throws -> TemperaturePolicy {
    let specification = try text.map { try #require(PolicySpecification($0)) }
    return try TemperaturePolicy.forGeneration(
      specification, given: nil, own: own, vocabulary: 100, network: { _ in throw Damaged() })
  }

  /// Breaks if the model's TempNet is read before a policy asks for it.
  @Test(arguments: ["0.7", "entropy-dynamic:1,1.5", "dynamic-range:0..1.5"])
  func `a damaged TempNet of the model stops no policy that does without it`(text: String) throws {
    _ = try choose(text, own: { throw Damaged() })
  }

  @Test(arguments: [nil, "model", "exact", "exact:2"])
  func `a damaged TempNet of the model stops the policies that read it`(text: String?) {
    #expect(throws: Damaged.self) { try choose(text, own: { throw Damaged() }) }
  }

  @Test func `without a policy and a TempNet the temperature is 1`() throws {
    guard case .fixed(1) = try choose(nil) else {
      Issue.record("another policy")
      return
    }
  }

  @Test func `exact without an entropy is refused with the two remedies`() {
    #expect(throws: Failure(.badConfiguration, "exact needs an entropy (exact:4.5) or a TempNet to take it from")) {
      try choose("exact")
    }
  }
}
