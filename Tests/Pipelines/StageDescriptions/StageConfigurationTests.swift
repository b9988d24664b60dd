import Configuration
import StageDescriptions
import Testing

@Suite struct StageConfigurationTests {
  private func failure<Settings: StageConfiguration>(
    _: Settings.Type, _ yaml: String, set: [String] = []
  ) -> String? {
    do {
      let document = try YAMLSource.parse(yaml, source: "a.yaml")
      _ = try Settings.resolve(try document.applying(set.map(ConfigurationOverride.init(parsing:))))
      return nil
    } catch {
      return "\(error)"
    }
  }

  private func refusal(ofShape shape: String, set: [String] = []) -> String? {
    failure(PretrainConfiguration.self, "model: {\(shape)}\n", set: set)
  }

  @Test(arguments: [
    "", "width: 32", "layers: 2", "heads: 8", "heads: 3, width: 30", "key_value_heads: 2", "width: 30, head_width: 8",
    "head_width: 7, positions: learned", "rotary_fraction: 0.25", "rotary_base: 1, positions: learned",
    "feed_forward: 1", "width: 8, heads: 4",
  ])
  func `a shape that a model can have is taken, also where only some of its keys are given`(shape: String) {
    #expect(refusal(ofShape: shape) == nil)
  }

  @Test func `a shape that no model can have is refused before anything runs`() {
    let place = "a.yaml, line 1"
    #expect(refusal(ofShape: "width: 30") == "\(place): model.heads is 4, which does not divide the width of 30")
    #expect(
      refusal(ofShape: "heads: 6, width: 36, key_value_heads: 4")
        == "\(place): model.key_value_heads is 4, which does not divide the 6 heads")
    #expect(
      refusal(ofShape: "head_width: 7")
        == "\(place): model.rotary_fraction rotates 7 of the 7 elements of each head, but rotation takes them in pairs")
    #expect(refusal(ofShape: "width: 4")?.contains("rotates 1 of the 1") == true)
    #expect(refusal(ofShape: "rotary_fraction: 0.01")?.contains("rotates 0 of the 64") == true)
    #expect(refusal(ofShape: "rotary_base: 1") == "\(place): model.rotary_base is 1.0, but must be above 1")
    #expect(refusal(ofShape: "norm_epsilon: 1") == "\(place): model.norm_epsilon is 1.0, but must be below 1")
    #expect(
      refusal(ofShape: "layers: 16385") == "\(place): model.layers must be a whole number from 1 to 16384, not '16385'")
  }

  @Test func `a misspelt key goes before a shape that comes of it`() {
    #expect(
      refusal(ofShape: "heads: 3, wdith: 30")
        == "a.yaml, line 1: unknown key 'model.wdith'; did you mean 'model.width'?")
  }

  @Test func `an option that makes a sound configuration a wrong one is named`() {
    #expect(
      refusal(ofShape: "width: 32", set: ["model.heads=3"])
        == "--set model.heads=3: model.heads is 3, which does not divide the width of 32")
    #expect(
      refusal(ofShape: "heads: 4", set: ["model.width=30"])
        == "--set model.width=30: model.heads is 4, which does not divide the width of 30")
    #expect(
      failure(PretrainConfiguration.self, "tau_min: 0.5\ntau_max: 2\n", set: ["tau_min=9"])
        == "--set tau_min=9: tau_max must be above tau_min, which is 9.0")
    #expect(
      failure(FitConfiguration.self, "entropy: 3\n", set: ["rho=2"])
        == "--set rho=2: entropy stands for rho; give one of them")
  }

  @Test func `of several policies the wrong one is named`() {
    let evaluation = EvaluateConfiguration.self
    #expect(
      failure(evaluation, "policies:\n  a: 0.7\n  b: nan\n")?.hasPrefix("a.yaml, line 3: policies says 'nan' for b;")
        == true)
    #expect(
      failure(evaluation, "tempnets: {a: ./fitted}\n", set: ["policies.a=0.7"])
        == "--set policies.a=0.7: tempnets has the name 'a', which another policy has")
  }

  @Test func `policies are those of every program, and identify a result as they were written`() throws {
    let yaml = "policies: {e: 'entropy-dynamic:1,1.5', d: dynamic-range:0.5..1.5, x: exact:4.5, c: 0.70}\n"
    let resolved = try EvaluateConfiguration.resolve(try YAMLSource.parse(yaml, source: "a.yaml"))
    #expect(resolved.values.policies.map(\.name) == ["e", "d", "x", "c"])
    #expect(
      resolved.values.policies.map(\.policy) == [
        .entropyDynamic(base: 1, theta: 1.5), .dynamicRange(0.5...1.5, exponent: 1), .exact(entropy: 4.5), .fixed(0.7),
      ])
    #expect(
      resolved.canonical["policies"] == [
        ["e": "entropy-dynamic:1,1.5"], ["d": "dynamic-range:0.5..1.5"], ["x": "exact:4.5"], ["c": "0.70"],
      ])
  }

  @Test func `a path among policies is refused with where it belongs, and a comma without quotation marks`() {
    let evaluation = EvaluateConfiguration.self
    #expect(
      failure(evaluation, "policies: {a: ./fitted}\n")
        == "a.yaml, line 1: policies has the path './fitted' for a; put it under tempnets")
    #expect(
      failure(evaluation, "policies: {a: entropy-dynamic:1,1.5}\n")
        == "a.yaml, line 1: policies must be a policy, in quotation marks if it has a comma, not nothing")
  }
}
