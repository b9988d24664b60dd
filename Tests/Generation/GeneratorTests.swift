import Generation
import LanguageModels
import TempNet
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
    Machine.seed(2)
    network = TemperatureNetwork(
      TempNetSettings(vocabulary: 60, hidden: 8, tauMin: 0.3, tauMax: 2, rho: 1, input: .centred))
    for parameter in network.parameters { parameter.tensor.add(.normal(parameter.tensor.shape)) }
  }

  /// A TempNet of any input for this model.
  private func network(_ input: TempNetSettings.Input) -> TemperatureNetwork {
    Machine.seed(3)
    let network = TemperatureNetwork(
      TempNetSettings(
        vocabulary: 60, hidden: 8, tauMin: 0.3, tauMax: 2, rho: 1, input: input, width: input == .hidden ? 16 : nil))
    for parameter in network.parameters { parameter.tensor.add(.normal(parameter.tensor.shape)) }
    return network
  }

  private func tokens(
    _ settings: GenerationSettings, prompt: [Int32] = [5, 9, 2], sequence: Int = 0
  ) -> [GeneratedToken] {
    let generator = Generator(model, settings)
    var tokens: [GeneratedToken] = []
    generator.run(generator.read(prompt), sequence: sequence) {
      tokens.append($0)
      return true
    }
    return tokens
  }

  private func settings(
    _ policy: TemperaturePolicy?, rules: SamplingRules = SamplingRules(), seed: UInt64 = 1, maximum: Int = 20
  ) -> GenerationSettings {
    GenerationSettings(policy: policy, rules: rules, seed: seed, maximumTokens: maximum, ends: [])
  }

  @Test func `each token has the temperature and probabilities that the model gives for what stands before it`() {
    let found = tokens(settings(.tempnet(network)))
    var sequence: [Int64] = [5, 9, 2]
    withoutGradients {
      for token in found {
        let hidden = model.hidden(Tensor(sequence, shape: [1, sequence.count])).squeezed(0)
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

  @Test func `a policy never changes what is likeliest`() {
    let greedy = tokens(settings(nil)).map(\.token)
    let networks = TempNetSettings.Input.allCases.map { TemperaturePolicy.tempnet(network($0)) }
    let policies: [TemperaturePolicy] =
      networks + [
        .fixed(0.3), .fixed(3), .exact(entropy: 1, bounds: 0.1...3),
        .entropyDynamic(base: 1, theta: 1.5), .dynamicRange(0.5...2, exponent: 1),
      ]
    for policy in policies {
      for order in SamplingRules.Order.allCases {
        #expect(tokens(settings(policy, rules: SamplingRules(topK: 1, order: order))).map(\.token) == greedy)
      }
    }
  }

  @Test func `a sequence is the same whatever is generated before it, and another for another seed or number`() {
    let generator = Generator(model, settings(.fixed(1)))
    func run(_ prompt: Generator.Prompt, _ sequence: Int) -> [Int32] {
      var tokens: [Int32] = []
      generator.run(prompt, sequence: sequence) {
        tokens.append($0.token)
        return true
      }
      return tokens
    }
    let prompt = generator.read([5, 9, 2])
    let alone = run(prompt, 3)
    _ = run(generator.read([1]), 0)
    _ = run(prompt, 1)
    #expect(run(prompt, 3) == alone)
    #expect(run(prompt, 2) != alone)
    #expect(tokens(settings(.fixed(1), seed: 2), sequence: 3).map(\.token) != alone)
  }

  @Test func `it ends at an end token, at the wanted length and where the context is full`() {
    let free = tokens(settings(nil)).map(\.token)
    var ending = settings(nil)
    ending.ends = [free[4]]
    let first = free.firstIndex(of: free[4])!
    #expect(tokens(ending).map(\.token) == Array(free[..<first]))
    #expect(tokens(settings(nil, maximum: 7)).count == 7)
    // 40 tokens of context: the last token of the prompt predicts one more than fits.
    #expect(tokens(settings(nil, maximum: 100)).count == 38)
  }

  @Test(arguments: TempNetSettings.Input.allCases)
  func `a policy made ready for a model gives the temperatures of the policy itself`(input: TempNetSettings.Input) {
    let network = network(input)
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
