import Configuration
import StageDescriptions
import Testing
import TrainingOptions

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

  private func fit(_ yaml: String, set: [String] = []) throws -> ResolvedConfiguration<FitConfiguration> {
    let document = try YAMLSource.parse(yaml, source: "a.yaml")
    return try FitConfiguration.resolve(try document.applying(set.map(ConfigurationOverride.init(parsing:))))
  }

  @Test(arguments: [
    ("{keep_best: false}", "{select: last}"), ("{validations: 3}", "{validation_interval: run/3}"),
    ("{gradient_clip: null}", "{optimiser: {gradient_clip: 0}}"),
    ("{gradient_clip: 0.5, warmup: 0.2}", "{optimiser: {warmup: 0.2, gradient_clip: 0.5}}"),
    ("{learning_rate: 0.1, optimiser: {warmup: 0}}", "{optimiser: {learning_rate: 0.1, warmup: 0.0}}"),
    ("{}", "{optimiser: {beta1: 0.9, beta2: 0.999, epsilon: 1.0e-8}, select: best, checkpoint_interval: 7}"),
  ])
  func `a setting of training means the same in its former spelling, and gives the same key`(
    former: String, present: String
  ) throws {
    #expect(try fit(former).canonical == fit(present).canonical)
  }

  @Test func `what fit could not be told before is in its key under the present name`() throws {
    let configuration = try fit("{validation_interval: 50, optimiser: {beta2: 0.95}}")
    #expect(configuration.values.validationInterval == .steps(50))
    #expect(configuration.values.optimiser.beta2 == 0.95)
    #expect(configuration.canonical["validation_interval"] == 50)
    #expect(configuration.canonical["optimiser"] == ["beta2": 0.95])
    #expect(configuration.canonical["validations"] == nil && configuration.canonical["beta2"] == nil)
  }

  @Test func `a canonical configuration can be used as one`() throws {
    let canonical = try fit("{validation_interval: 50, keep_best: false, optimiser: {beta2: 0.95, warmup: 0.2}}")
      .canonical
    #expect(try fit(canonical.compact).canonical == canonical)
  }

  @Test func `messages and the listing know the present spelling`() {
    #expect(
      failure(FitConfiguration.self, "keep_best: 7\n")
        == "a.yaml, line 1: select must be one of best, last, not '7'")
    #expect(
      failure(FitConfiguration.self, "", set: ["warmup=2"])
        == "--set warmup=2: optimiser.warmup must be a number from 0 to 1, not '2'")
    #expect(
      failure(FitConfiguration.self, "keep_best: true\nselect: last\n")
        == "a.yaml, line 1: keep_best is the former spelling of select; give one of them")
    let keys = FitConfiguration.documentation.map(\.key)
    #expect(keys.contains("optimiser.gradient_clip") && keys.contains("validation_interval") && keys.contains("select"))
    #expect(!keys.contains("gradient_clip") && !keys.contains("validations") && !keys.contains("keep_best"))
  }

  @Test func `an option outranks what a file says in another spelling`() throws {
    #expect(try fit("keep_best: false\n", set: ["select=best"]).values.selection == .best)
    #expect(try fit("select: last\n", set: ["keep_best=true"]).values.selection == .best)
    #expect(try fit("optimiser: {warmup: 0.1}\n", set: ["warmup=0.2"]).values.optimiser.warmup == 0.2)
    #expect(try fit("warmup: 0.1\n", set: ["optimiser.warmup=0.2"]).values.optimiser.warmup == 0.2)
  }

  @Test func `a part of the run is a validation interval of every stage that trains`() throws {
    let pretrain = try PretrainConfiguration.resolve(
      try YAMLSource.parse(
        "{steps: 600, validation_interval: run/4, optimiser: {gradient_clip: null}}", source: "a.yaml"))
    #expect(pretrain.values.validationInterval.steps(of: 600) == 150)
    #expect(pretrain.values.optimiser.gradientClip == nil)
    #expect(pretrain.canonical["optimiser"]?["gradient_clip"] == 0.0)
    #expect(
      failure(PretrainConfiguration.self, "validation_interval: run/0\n")?.contains("run/10, not 'run/0'") == true)
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
