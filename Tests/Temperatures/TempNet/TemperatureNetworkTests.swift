import Diagnostics
import Foundation
import TemperatureSettings
import Testing
import Torch
import Weights

@testable import TempNet

@Suite struct TemperatureNetworkTests {
  static let settings = TempNetSettings(vocabulary: 40, hidden: 12, tauMin: 0.1, tauMax: 3, rho: 1.5, input: .centred)

  /// A network whose every weight matters.
  static func network(_ settings: TempNetSettings = settings, seed: UInt64 = 1, dtype: DType = .float32)
    -> TemperatureNetwork
  {
    var noise = Noise(seed)
    func normal(_ shape: [Int], _ scale: Double = 1) -> Tensor { (noise.normal(shape) * scale).to(dtype) }
    let hidden = settings.hidden
    return TemperatureNetwork(
      settings: settings,
      transformation: Linear(weight: normal([hidden, settings.inputSize], 2), bias: normal([hidden])),
      projection: Linear(weight: normal([hidden, hidden]), bias: normal([hidden])),
      scaler: normal([], 0.3), last: Linear(weight: normal([1, hidden]), bias: normal([1])))
  }

  private func logits(_ rows: Int) -> Tensor {
    var noise = Noise(99)
    return noise.normal([rows, Self.settings.vocabulary]) * 4 + 2
  }

  @Test func `temperatures lie within the bounds and differ between rows`() {
    let tau = Self.network()(logits(100)).doubles
    #expect(tau.allSatisfy { $0 > 0.1 && $0 < 3 })
    #expect(Set(tau).count > 90)
  }

  @Test func `centred input does not see a shift, raw input does; neither sees the scale`() {
    var raw = Self.settings
    raw.input = .logits
    let z = logits(10)
    for (settings, seesShift) in [(Self.settings, false), (raw, true)] {
      let network = Self.network(settings)
      let tau = network(z).doubles
      let shifted = network(z + 5).doubles
      let scaled = network(z * 8).doubles
      #expect(zip(tau, shifted).contains { abs($0 - $1) > 1e-3 } == seesShift)
      #expect(zip(tau, scaled).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }

  @Test func `scaled input sees the scale, and no shift`() {
    var settings = Self.settings
    settings.input = .scaled
    let (network, z) = (Self.network(settings), logits(10))
    #expect(zip(network(z).doubles, network(z + 5).doubles).allSatisfy { abs($0 - $1) < 1e-4 })
    #expect(zip(network(z).doubles, network(z * 2).doubles).contains { abs($0 - $1) > 1e-2 })
  }

  @Test func `a network of hidden states does not look at the logits`() {
    var settings = Self.settings
    (settings.input, settings.width) = (.hidden, 7)
    let network = Self.network(settings)
    var noise = Noise(3)
    let hidden = noise.normal([10, 7])
    #expect(network.transformation.weight.shape == [12, 7])
    #expect(network(logits(10), hidden: hidden).floats == network(logits(10) * 3, hidden: hidden).floats)
    #expect(Set(network(logits(10), hidden: hidden).floats).count == 10)
  }

  @Test func `a row of zeros gives a temperature, not NaN`() {
    #expect(Self.network()(.zeros([1, 40])).allFinite().item == 1)
  }

  @Test func `leading dimensions are kept`() {
    let z = logits(6)
    let network = Self.network()
    #expect(network(z.reshaped([2, 3, 40])).shape == [2, 3])
    #expect(network(z.reshaped([2, 3, 40])).floats == network(z).floats)
  }

  @Test func `dropout acts in training only`() {
    let network = Self.network()
    let z = logits(20)
    #expect(network(z).floats == network(z).floats)
    #expect(network(z, training: true).floats != network(z).floats)
    var undropped = Self.settings
    undropped.dropout = 0
    let plain = Self.network(undropped)
    #expect(plain(z, training: true).floats == network(z).floats)
  }

  @Test func `standardised coordinates are those of the input minus its mean, scaled to variance 1`() {
    let raw = Self.network(dtype: .float64)
    let u = logits(200).to(.float64)
    let inputs = u / u.norm(-1).unsqueezed(-1)
    let mean = inputs.sum(0) / 200
    let published = StandardisedNetwork(raw, InputMoments(mean: mean)).published.transformation
    let centred = inputs - mean
    let scale = (3 * 40 / (centred.square().sum().item / 200)).squareRoot()
    let expected = centred.matmul(raw.transformation.weight.transposed()) * scale + raw.transformation.bias!
    let found = inputs.linear(published.weight, bias: published.bias)
    #expect((found - expected).abs().maximum(0).maximum(0).item < 1e-9)
  }

  @Test func `the two scales are standardised each by itself`() {
    var settings = Self.settings
    settings.input = .scaled
    let raw = Self.network(settings, dtype: .float64)
    let inputs = raw.input(logits(200).to(.float64), hidden: nil)
    let moments = InputMoments(mean: inputs.narrowed(1, 0..<40).mean(0), scales: inputs.narrowed(1, 40..<42))
    let published = StandardisedNetwork(raw, moments).published.transformation
    let scales = inputs.narrowed(1, 40..<42)
    let (before, after) = (raw.transformation.weight, published.weight)
    for column in 0..<2 {
      let deviation = (scales - scales.mean(0)).square().mean(0).sqrt()[column].item
      let expected = before.narrowed(1, 40 + column..<41 + column) * ((3 * 42).squareRoot() / deviation)
      #expect((after.narrowed(1, 40 + column..<41 + column) - expected).abs().sum().item < 1e-9)
    }
    let mean = inputs.mean(0).unsqueezed(0).linear(after, bias: published.bias) - raw.transformation.bias!
    #expect(mean.abs().sum().item < 1e-9, "the mean input maps to the bias alone")
  }

  @Test func `a new network has the published initialisation`() {
    let network = TemperatureNetwork(TempNetSettings(vocabulary: 100, tauMin: 0.01, tauMax: 2, rho: 3))
    let weights = network.transformation.weight.floats
    #expect(network.transformation.weight.shape == [256, 100])
    #expect(weights.allSatisfy { abs($0) <= 0.1 } && weights.contains { abs($0) > 0.099 })
    #expect(network.projection.weight.floats.allSatisfy { abs($0) <= 1.0 / 16 })
    #expect(network.last.weight.floats.allSatisfy { $0 == 1 } && network.last.bias!.floats == [0])
    #expect(network.scaler.item == 0)
  }

  @Test func `gradients agree with finite differences in float64`() {
    let network = Self.network(dtype: .float64)
    let z = logits(7).to(.float64)
    network.requireGradients()
    (network(z) * .arange(7, dtype: .float64)).sum().backward()
    func value() -> Double { withoutGradients { (network(z) * .arange(7, dtype: .float64)).sum().item } }
    for parameter in network.parameters {
      let original = parameter.tensor.detached().cloned()
      let elements = original.doubles
      for index in stride(from: 0, to: elements.count, by: max(1, elements.count / 9)) {
        func shifted(_ by: Double) -> Double {
          var copy = elements
          copy[index] += by
          parameter.tensor.copy(from: Tensor(copy, shape: original.shape))
          return value()
        }
        let slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5
        #expect(abs(slope - parameter.tensor.gradient!.doubles[index]) < 1e-7, "\(parameter.name)[\(index)]")
      }
      parameter.tensor.copy(from: original)
    }
  }
}

@Suite struct TemperatureNetworkFileTests {
  private func temporary(_ name: String) -> String {
    FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString)-\(name)").path
  }

  @Test func `what was saved is loaded: settings, weights, and bytes when saved again`() throws {
    var settings = TemperatureNetworkTests.settings
    settings.rho = 0.1 + 0.2
    settings.normalisationEpsilon = 1e-7
    let network = TemperatureNetworkTests.network(settings)
    let (first, second) = (temporary("a.safetensors"), temporary("b.safetensors"))
    defer { for path in [first, second] { try? FileManager.default.removeItem(atPath: path) } }
    try network.save(first, metadata: ["origin": "a test", "rho": "ignored"])
    let loaded = try TemperatureNetwork.load(first)
    #expect(loaded.settings == settings)
    for (a, b) in zip(network.parameters, loaded.parameters) {
      #expect(a.name == b.name && a.tensor.shape == b.tensor.shape && a.tensor.floats == b.tensor.floats)
    }
    #expect(try SafetensorsFile(first).metadata["origin"] == "a test")
    try loaded.save(second, metadata: ["origin": "a test"])
    let bytes = try [first, second].map { try Data(contentsOf: URL(filePath: $0)) }
    #expect(bytes[0] == bytes[1])
  }

  @Test func `a file that is not a TempNet, or a damaged one, is refused with the field at fault`() throws {
    let path = temporary("x.safetensors")
    defer { try? FileManager.default.removeItem(atPath: path) }
    let network = TemperatureNetworkTests.network()
    func message(_ tensors: [(name: String, tensor: Tensor)], _ metadata: [String: String]) throws -> String {
      try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
      do {
        _ = try TemperatureNetwork.load(path)
        return "accepted"
      } catch let failure as Failure {
        #expect(failure.status == .badData)
        return failure.description
      }
    }
    let tensors = network.parameters.map { (name: $0.name, tensor: $0.tensor) }
    let metadata = network.settings.metadata
    func with(_ key: String, _ value: String?) -> [String: String] { metadata.merging([key: value ?? ""]) { $1 } }

    #expect(try message(tensors, [:]).contains("is this a TempNet?"))
    #expect(try message(tensors, with("format_version", "2")).contains("this program reads 1"))
    #expect(try message(tensors, with("vocabulary", "41")).contains("proj.0.weight"))
    #expect(try message(tensors, with("tau_max", "0.05")).contains("tau_max"))
    #expect(try message(tensors, with("tau_min", "nan")).contains("tau_min"))
    #expect(try message(tensors, with("hidden", "many")).contains("hidden"))
    #expect(try message(tensors, with("input", "softmax")).contains("logits or centred"))
    #expect(try message(tensors.filter { $0.name != "scaler" }, metadata).contains("scaler"))
    let wrong = tensors.map { $0.name == "scaler" ? (name: "scaler", tensor: Tensor.zeros([2])) : $0 }
    #expect(try message(wrong, metadata).contains("expected a single number"))
  }

  @Test func `a scaler of one element and float64 weights are read`() throws {
    let path = temporary("x.safetensors")
    defer { try? FileManager.default.removeItem(atPath: path) }
    let network = TemperatureNetworkTests.network()
    let tensors = network.parameters.map {
      (name: $0.name, tensor: $0.name == "scaler" ? $0.tensor.reshaped([1]) : $0.tensor.to(.float64))
    }
    try SafetensorsWriter.write(tensors, metadata: network.settings.metadata, to: path)
    let loaded = try TemperatureNetwork.load(path)
    #expect(loaded.scaler.shape == [] && loaded.scaler.item == network.scaler.item)
    #expect(loaded.projection.weight.floats == network.projection.weight.floats)
  }
}

@Suite struct FoldedTemperatureNetworkTests {
  @Test(arguments: TempNetSettings.Input.allCases, [false, true])
  func `folding changes neither temperatures nor gradients`(input: TempNetSettings.Input, bias: Bool) {
    var settings = TemperatureNetworkTests.settings
    settings.input = input
    settings.width = input == .hidden ? 6 : nil
    let (direct, folded) = (
      TemperatureNetworkTests.network(settings, dtype: .float64),
      TemperatureNetworkTests.network(settings, dtype: .float64)
    )
    direct.requireGradients()
    folded.requireGradients()
    var noise = Noise(8)
    let hidden = noise.normal([25, 6]).to(.float64)
    let unembedding = noise.normal([40, 6]).to(.float64)
    let headBias = bias ? noise.normal([40]).to(.float64) : nil
    let logits = hidden.linear(unembedding, bias: headBias)
    let measured = LogitStatistics(logits)
    // As a fit has them: the spread from the hidden states.
    let statistics = LogitStatistics(
      maximum: measured.maximum, norm: measured.norm, centredNorm: measured.centredNorm, hidden: hidden,
      weight: unembedding, bias: headBias)

    let expected = direct(logits, hidden: hidden)
    let found = folded.folded(unembedding: unembedding, bias: headBias)(hidden: hidden, logits: statistics)
    for (a, b) in zip(expected.doubles, found.doubles) { #expect(abs(a - b) < 1e-12) }
    (expected * expected).sum().backward()
    (found * found).sum().backward()
    for (a, b) in zip(direct.parameters, folded.parameters) {
      for (x, y) in zip(a.tensor.gradient!.doubles, b.tensor.gradient!.doubles) {
        #expect(abs(x - y) < 1e-11, "\(a.name)")
      }
    }
  }
}

@Suite struct StandardisedFoldTests {
  /// Tokens that have nearly one direction in common, as those of language models do: what the mean takes from a gradient is
  /// then nearly all of it.
  @Test(arguments: [TempNetSettings.Input.logits, .centred], [false, true])
  func `in bfloat16 the gradients are nearly the same`(input: TempNetSettings.Input, hasBias: Bool) {
    var settings = TemperatureNetworkTests.settings
    settings.input = input
    var noise = Noise(13)
    let hidden = noise.normal([1024, 6]) * 0.05 + noise.normal([6]).to(.float32)
    let (unembedding, bias) = (noise.normal([40, 6]), hasBias ? noise.normal([40]) : nil)
    let logits = hidden.linear(unembedding, bias: bias)
    func gradients(_ computeType: DType) -> [Tensor] {
      let raw = TemperatureNetworkTests.network(settings, dtype: .float32)
      raw.requireGradients()
      let inputs = withoutGradients { raw.input(logits, hidden: hidden) }
      let network = StandardisedNetwork(raw, InputMoments(mean: inputs.mean(0), scales: nil))
      let statistics = LogitStatistics(logits)
      let mean = FoldedMean(settings, hidden: hidden, logits: statistics)
      let unembedding = network.foldedUnembedding(unembedding, bias: bias, mean: mean, computeType: computeType)
      let tau = network.folded(unembedding)(hidden: hidden, logits: statistics)
      (tau * tau).sum().backward()
      return raw.parameters.map { $0.tensor.gradient!.to(.float64) }
    }
    for (found, expected) in zip(gradients(.bfloat16), gradients(.float32)) {
      #expect((found - expected).square().sum().item < 0.02 * 0.02 * expected.square().sum().item)
    }
  }

  @Test(arguments: TempNetSettings.Input.allCases)
  func `folding in standardised coordinates is folding the published network`(input: TempNetSettings.Input) {
    var settings = TemperatureNetworkTests.settings
    settings.input = input
    settings.width = input == .hidden ? 6 : nil
    let raw = TemperatureNetworkTests.network(settings, dtype: .float64)
    raw.requireGradients()
    var noise = Noise(12)
    let hidden = noise.normal([25, 6]).to(.float64)
    let (unembedding, bias) = (noise.normal([40, 6]).to(.float64), noise.normal([40]).to(.float64))
    let logits = hidden.linear(unembedding, bias: bias)
    let inputs = withoutGradients { raw.input(logits, hidden: hidden) }
    let wide = input == .scaled ? 40 : settings.inputSize
    let network = StandardisedNetwork(
      raw,
      InputMoments(
        mean: inputs.narrowed(1, 0..<wide).mean(0), scales: input == .scaled ? inputs.narrowed(1, 40..<42) : nil))
    let statistics = LogitStatistics(logits)

    let expected = network.published(logits, hidden: hidden)
    (expected * expected).sum().backward()
    let gradients = raw.parameters.map { $0.tensor.gradient!.doubles }
    for parameter in raw.parameters { parameter.tensor.clearGradient() }
    let found = network.folded(
      network.foldedUnembedding(
        unembedding, bias: bias, mean: FoldedMean(settings, hidden: hidden, logits: statistics)))(
        hidden: hidden, logits: statistics)
    (found * found).sum().backward()
    for (a, b) in zip(expected.doubles, found.doubles) { #expect(abs(a - b) < 1e-11) }
    for (parameter, expected) in zip(raw.parameters, gradients) {
      let size = expected.reduce(1e-3) { max($0, abs($1)) }
      for (x, y) in zip(parameter.tensor.gradient!.doubles, expected) {
        #expect(abs(x - y) < 1e-10 * size, "\(parameter.name)")
      }
    }
  }
}
