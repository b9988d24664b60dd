import Diagnostics
import Generation
import Glibc
import LanguageModels
import ModelDescriptions
import TempNet
import TemperatureSettings
import Testing
import Torch

@Suite struct GeneratorTests {
  private let model: LanguageModel
  private let network: TemperatureNetwork

  init() throws {
    let configuration = try ModelConfiguration(
      vocabulary: 60, context: 40, width: 16, layers: 2, heads: 2, norm: .rms, activation: .swiglu, biases: .none)
    model = LanguageModel(configuration, seed: 4)
    // Wide enough to have opinions.
    for parameter in model.parameters { parameter.tensor.add(parameter.tensor.cloned(), scale: 9) }
    TorchRuntime.seed(2)
    network = TemperatureNetwork(
      TempNetSettings(vocabulary: 60, hidden: 8, tauMin: 0.3, tauMax: 2, rho: 1, input: .centred))
    for parameter in network.parameters { parameter.tensor.add(.normal(parameter.tensor.shape)) }
  }

  /// A TempNet of any input for this model.
  private func network(_ input: TempNetSettings.Input) -> TemperatureNetwork {
    TorchRuntime.seed(3)
    let network = TemperatureNetwork(
      TempNetSettings(
        vocabulary: 60, hidden: 8, tauMin: 0.3, tauMax: 2, rho: 1, input: input, width: input == .hidden ? 16 : nil))
    for parameter in network.parameters { parameter.tensor.add(.normal(parameter.tensor.shape)) }
    return network
  }

  private func tokens(
    _ settings: GenerationSettings, prompt: [Int32] = [5, 9, 2], sequence: Int = 0
  ) throws -> [GeneratedToken] {
    let generator = Generator(model, settings)
    var tokens: [GeneratedToken] = []
    try generator.run(generator.read(prompt), sequence: sequence) {
      tokens.append($0)
      return true
    }
    return tokens
  }

  /// One of each kind, that look at nothing but the context.
  private var policies: [TemperaturePolicy] {
    let networks = TempNetSettings.Input.allCases.map { TemperaturePolicy.tempnet(network($0)) }
    return networks + [
      .fixed(0.3), .fixed(3), .exact(entropy: 1, bounds: 0.1...3), .entropyDynamic(base: 1, theta: 1.5),
      .dynamicRange(0.5...2, exponent: 1), .dynamicRange(0...1, exponent: 2),
    ]
  }

  private func settings(
    _ policy: TemperaturePolicy?, rules: SamplingRules = SamplingRules(), seed: UInt64 = 1, maximum: Int = 20
  ) -> GenerationSettings {
    GenerationSettings(policy: policy, rules: rules, seed: seed, maximumTokens: maximum, ends: [])
  }

  @Test func `each token has the temperature and probabilities that the model gives for what stands before it`()
    throws
  {
    let found = try tokens(settings(.tempnet(network)))
    var sequence: [Int64] = [5, 9, 2]
    withoutGradients {
      for token in found {
        let hidden = model.hiddenStates(Tensor(sequence, shape: [1, sequence.count])).squeezed(0)
        let logits = model.logits(hidden[sequence.count - 1..<sequence.count])
        let tau = network(logits).item
        #expect(abs(token.temperature! - tau) < 1e-4)
        let row = [Int(token.token)]
        let own = logits.logSoftmax(-1).selected(1, indices: Tensor(row)).item
        let drawn = (logits / tau).logSoftmax(-1).selected(1, indices: Tensor(row)).item
        #expect(abs(token.modelLogProbability - own) < 1e-3 && abs(token.logProbability - drawn) < 1e-3)
        sequence.append(Int64(token.token))
      }
    }
    #expect(found.count == 20 && Set(found.map(\.token)).count > 5)
  }

  @Test func `a policy never changes what is likeliest`() throws {
    let greedy = try tokens(settings(nil)).map(\.token)
    for policy in policies {
      for order in SamplingRules.Order.allCases {
        #expect(try tokens(settings(policy, rules: SamplingRules(topK: 1, order: order))).map(\.token) == greedy)
      }
    }
  }

  @Test func `of random rows, divided by any policy's temperatures, the likeliest stays the likeliest`() {
    TorchRuntime.seed(7)
    let hidden = Tensor.normal([500, 16])
    withoutGradients {
      let logits = model.logits(hidden)
      let likeliest = logits.argmax(-1).integers
      for policy in policies {
        let temperatures = policy(logits, hidden: hidden)
        #expect(temperatures.doubles.allSatisfy { $0 > 0 })
        #expect((logits / temperatures.unsqueezed(-1)).argmax(-1).integers == likeliest)
      }
    }
  }

  @Test func `a dynamic range looks at what the cuts leave where the temperature comes last, and else at all tokens`()
    throws
  {
    // Not one after which the model is all but sure.
    let prompt = try #require((0..<30).map { [Int32($0), 9, 2] }.first { share(of: logits(after: $0)) > 0.1 })
    let row = logits(after: prompt)
    let (all, left) = (0.5 + share(of: row), 0.5 + share(of: Array(row.sorted(by: >).prefix(5))))
    #expect(abs(all - left) > 1e-3)
    func temperature(_ rules: SamplingRules) throws -> Double {
      let policy = TemperaturePolicy.dynamicRange(0.5...1.5, exponent: 1)
      let found = try tokens(settings(policy, rules: rules, maximum: 1), prompt: prompt)
      return try #require(found[0].temperature)
    }
    #expect(try abs(temperature(SamplingRules(topK: 5)) - all) < 1e-4)
    #expect(try abs(temperature(SamplingRules(topK: 5, order: .temperatureLast)) - left) < 1e-4)
    #expect(try abs(temperature(SamplingRules(order: .temperatureLast)) - all) < 1e-4)
    // Where one is left, no division matters.
    #expect(try abs(temperature(SamplingRules(topK: 1, order: .temperatureLast)) - 0.5) < 1e-4)
  }

  private func logits(after tokens: [Int32]) -> [Float] {
    withoutGradients {
      let hidden = model.hiddenStates(Tensor(tokens.map(Int64.init), shape: [1, tokens.count])).squeezed(0)
      return model.logits(hidden[tokens.count - 1..<tokens.count]).floats
    }
  }

  /// The entropy of a softmax as a share of the most that it can be.
  private func share(of logits: [Float]) -> Double {
    let weights = logits.map { exp(Double($0)) }
    let total = weights.reduce(0, +)
    let probabilities = weights.map { $0 / total }
    return -probabilities.map { $0 * log($0) }.reduce(0, +) / log(Double(logits.count))
  }

  @Test func `other policies look at all tokens, whatever the order`() throws {
    for policy in policies where !policy.looksAtCandidates {
      let found = try SamplingRules.Order.allCases.map { order in
        try tokens(settings(policy, rules: SamplingRules(topK: 5, order: order), maximum: 1))[0].temperature
      }
      #expect(found[0] == found[1])
    }
  }

  @Test func `logits that are not finite are refused with their place`() throws {
    let generator = Generator(model, settings(.fixed(1)))
    let prompt = generator.read([5, 9, 2])
    model.headWeight.fill(with: .infinity)
    let failure = #expect(throws: Failure.self) { try generator.run(prompt, sequence: 0) { _ in true } }
    #expect(failure?.status == .badData)
    #expect(failure?.message == "the model's logits for token 1 of the continuation are not all finite")
  }

  @Test func `what is not wanted any more is interrupted, what is at its end is not`() throws {
    let generator = Generator(model, settings(.fixed(1), maximum: 7))
    let prompt = generator.read([5, 9, 2])
    var count = 0
    func run(wanted: Int) throws -> FinishReason {
      count = 0
      return try generator.run(prompt, sequence: 0) { _ in
        count += 1
        return count < wanted
      }
    }
    #expect(try run(wanted: 3) == .interrupted)
    #expect(count == 3)
    #expect(try run(wanted: 7) == .length)
    #expect(FinishReason.interrupted.rawValue == "interrupted")
  }

  @Test func `the number of a continuation does not depend on how many there are`() {
    #expect(Generator.sequence(prompt: 0, sample: 5) == 5)
    #expect(Generator.sequence(prompt: 2, sample: 1) == (2 << 24) + 1)
    #expect(
      Generator.sequence(prompt: 1, sample: 0) - Generator.sequence(prompt: 0, sample: Generator.mostSamples - 1) == 1)
  }

  @Test func `a sequence is the same whatever is generated before it, and another for another seed or number`()
    throws
  {
    let generator = Generator(model, settings(.fixed(1)))
    func run(_ prompt: Generator.Prompt, _ sequence: Int) throws -> [Int32] {
      var tokens: [Int32] = []
      try generator.run(prompt, sequence: sequence) {
        tokens.append($0.token)
        return true
      }
      return tokens
    }
    let prompt = generator.read([5, 9, 2])
    let alone = try run(prompt, 3)
    _ = try run(generator.read([1]), 0)
    _ = try run(prompt, 1)
    #expect(try run(prompt, 3) == alone)
    #expect(try run(prompt, 2) != alone)
    #expect(try tokens(settings(.fixed(1), seed: 2), sequence: 3).map(\.token) != alone)
  }

  @Test func `it ends at an end token, at the wanted length and where the context is full`() throws {
    let free = try tokens(settings(nil)).map(\.token)
    var ending = settings(nil)
    ending.ends = [free[4]]
    let first = free.firstIndex(of: free[4])!
    #expect(try tokens(ending).map(\.token) == Array(free[..<first]))
    #expect(try tokens(settings(nil, maximum: 7)).count == 7)
    // 40 tokens of context: the last token of the prompt predicts one more than fits.
    #expect(try tokens(settings(nil, maximum: 100)).count == 38)
  }

  @Test(arguments: TempNetSettings.Input.allCases)
  func `a policy made ready for a model gives the temperatures of the policy itself`(input: TempNetSettings.Input) {
    let network = network(input)
    TorchRuntime.seed(8)
    let hidden = Tensor.normal([9, 16])
    let logits = model.logits(hidden)
    let (direct, folded) = withoutGradients {
      (
        TemperaturePolicy.tempnet(network)(logits, hidden: hidden).doubles,
        FoldedPolicy(.tempnet(network), unembedding: model.headWeight)(logits, hidden: hidden).doubles
      )
    }
    for (a, b) in zip(direct, folded) { #expect(abs(a - b) < 1e-4) }
  }
}
