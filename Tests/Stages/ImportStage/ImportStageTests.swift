import Artifacts
import Configuration
import Diagnostics
import Files
import ImportStage
import StageDescriptions
import TempNet
import TemperatureSettings
import TestSupport
import Testing
import Torch
import Weights

@Suite struct ImportStageTests {
  private let folder = try! TemporaryFolder()

  private static let stated = ["input=logits", "tau_min=0.01", "tau_max=1.2", "rho=2"]

  private func importing(_ path: String, _ settings: [String] = stated) throws -> Artifact {
    let configuration = try ImportConfiguration.resolve(
      file: nil, overrides: (["weights=\(path)"] + settings).map(ConfigurationOverride.init(parsing:)))
    return try ImportStage.run(
      StageRequest<Import>(configuration, inputs: [:], output: folder("artifact"), digests: .forProgram))
  }

  private func network() -> TemperatureNetwork {
    TorchRuntime.seed(8)
    let network = TemperatureNetwork(
      TempNetSettings(vocabulary: 23, hidden: 6, tauMin: 0.01, tauMax: 1.2, rho: 2, input: .logits))
    for parameter in network.parameters { parameter.tensor.add(.normal(parameter.tensor.shape)) }
    return network
  }

  /// As the published code writes it: nothing is said but the weights.
  private func write(
    _ network: TemperatureNetwork, prefix: String = "", rank: Int = 0, half: Bool = false, to name: String,
    also others: [(name: String, tensor: Tensor)] = []
  ) throws -> String {
    let tensors = network.parameters.map { parameter in
      let shape = parameter.name == "scaler" ? Array(repeating: 1, count: rank) : parameter.tensor.shape
      let tensor = parameter.tensor.reshaped(shape)
      return (name: prefix + parameter.name, tensor: half ? tensor.to(.float16) : tensor)
    }
    try Files.makeFolder(Files.folder(of: folder(name)))
    try SafetensorsWriter.write(tensors + others, metadata: ["format": "pt"], to: folder(name))
    return folder(name)
  }

  private func expectImported(_ artifact: Artifact, _ network: TemperatureNetwork) throws {
    let loaded = try TemperatureNetwork.load(artifact.file("tempnet.safetensors"))
    #expect(loaded.settings == network.settings)
    #expect(loaded.parameters.map(\.tensor.floats) == network.parameters.map(\.tensor.floats))
    #expect(loaded.scaler.rank == 0 && artifact.manifest.kind == "tempnet")
  }

  private static func generators(prefix: String) -> [(name: String, tensor: Tensor)] {
    TorchRuntime.seed(8)
    return EmbeddingSide.allCases.flatMap { side in
      EmbeddingTemperatureNetwork(
        EmbeddingTempNetSettings(width: 5, units: 7, tauMin: 0.005, tauMax: 0.05, rho: 6)
      ).parameters(under: "\(prefix)\(side)_temp_gen").map { ($0.name, $0.tensor) }
    }
  }

  @Test(arguments: ["", "module.model."], EmbeddingSide.allCases)
  func `the TempNets of a contrastive model are imported side by side`(prefix: String, side: EmbeddingSide) throws {
    let path = folder("model.safetensors")
    let tensors = Self.generators(prefix: prefix)
    try SafetensorsWriter.write(
      tensors + [(name: "\(prefix)visual.weight", tensor: .zeros([3]))], metadata: ["format": "pt"], to: path)
    let stated = ["side=\(side)", "tau_min=0.005", "tau_max=0.05"]
    let artifact = try importing(path, stated + ["rho=6"])
    let network = try EmbeddingTempNetFile.read(artifact.file(EmbeddingTempNetFile.name), side: side)
    #expect(network.settings == EmbeddingTempNetSettings(width: 5, units: 7, tauMin: 0.005, tauMax: 0.05, rho: 6))
    let expected = tensors.filter { $0.name.hasPrefix("\(prefix)\(side)_temp_gen.") }
    #expect(network.parameters.map(\.tensor.floats) == expected.map(\.tensor.floats))
    #expect(artifact.summary["side"]?.stringValue == "\(side)")
  }

  @Test(arguments: [
    ([], "rho"), (["entropy=2"], "number of candidates"), (["rho=6", "input=logits"], "side"),
  ])
  func `a contrastive model's TempNet needs its rho, and no input`(_ settings: [String], _ word: String) throws {
    let path = folder("model.safetensors")
    try SafetensorsWriter.write(Self.generators(prefix: ""), metadata: ["format": "pt"], to: path)
    let failure = #expect(throws: Failure.self) {
      try importing(path, ["side=text", "tau_min=0.005", "tau_max=0.05"] + settings)
    }
    #expect(failure?.status == .badConfiguration)
    #expect(failure?.description.contains(word) == true, "\(failure as Any)")
  }

  @Test(arguments: [("", 0), ("", 1), ("tempnet.", 1), ("model.tempnet.", 0)])
  func `a published file becomes an artifact, whatever its names begin with`(prefix: String, rank: Int) throws {
    let network = network()
    try expectImported(try importing(write(network, prefix: prefix, rank: rank, to: "a.safetensors")), network)
  }

  @Test func `half precision is widened`() throws {
    let network = network()
    let artifact = try importing(write(network, rank: 1, half: true, to: "a.safetensors"))
    let rounded = network.mapped { $0.to(.float16).to(.float32) }
    try expectImported(artifact, rounded)
  }

  @Test func `the TempNet of a model's folder is found, beside the model or within it`() throws {
    let network = network()
    try folder.write(#"{"model_type": "llama"}"#, to: "beside/config.json")
    _ = try write(network, prefix: "tempnet.", to: "beside/tempnet.safetensors")
    try expectImported(try importing(folder("beside")), network)

    try Files.remove(folder("artifact"))
    try folder.write(#"{"model_type": "llama"}"#, to: "within/config.json")
    let other = (name: "lm_head.weight", tensor: Tensor.zeros([23, 4]))
    _ = try write(network, prefix: "tempnet.", to: "within/model.safetensors", also: [other])
    try expectImported(try importing(folder("within")), network)
  }

  @Test func `the TempNet of a model in several files is found by their index`() throws {
    let network = network()
    try folder.write(#"{"model_type": "llama"}"#, to: "parts/config.json")
    _ = try write(network, prefix: "tempnet.", to: "parts/b.safetensors")
    try SafetensorsWriter.write([("lm_head.weight", Tensor.zeros([23, 4]))], to: folder("parts/a.safetensors"))
    let own = network.parameters.map { "\"tempnet.\($0.name)\": \"b.safetensors\"" }
    let map = (own + [#""lm_head.weight": "a.safetensors""#]).joined(separator: ", ")
    try folder.write("{\"weight_map\": {\(map)}}", to: "parts/model.safetensors.index.json")
    let artifact = try importing(folder("parts"))
    try expectImported(artifact, network)
    #expect(artifact.manifest.inputs.map(\.name) == ["weights/b.safetensors"], "the model itself does not matter")
  }

  @Test(arguments: ["tau_min", "tau_max", "input", "rho"])
  func `what the weights do not say must be said`(key: String) throws {
    let path = try write(network(), to: "a.safetensors")
    let failure = #expect(throws: Failure.self) {
      try importing(path, Self.stated.filter { !$0.hasPrefix(key) })
    }
    #expect(failure?.status == .badConfiguration && "\(failure!)".contains(key))
  }

  @Test func `what cannot be, or contradicts the file, is refused`() throws {
    let path = try write(network(), to: "a.safetensors")
    #expect("ln 23 = 3.1355") {
      try importing(path, ["input=logits", "tau_min=0.01", "tau_max=1.2", "rho=3.2"])
    } throws: { "\($0)".contains("ln 23 = 3.1355") }
    #expect("bounds") { try importing(path, ["input=logits", "tau_min=2", "tau_max=1.2", "rho=2"]) } throws: {
      ($0 as? Failure)?.status == .badConfiguration
    }
    try network().save(folder("ours.safetensors"))
    #expect("our own file") {
      try importing(folder("ours.safetensors"), ["input=logits", "tau_min=0.01", "tau_max=2", "rho=2"])
    } throws: {
      ($0 as? Failure)
        == Failure(.badConfiguration, "is 2.0, but \(folder("ours.safetensors")) states 1.2", at: "tau_max")
    }
  }

  @Test func `weights that are not finite are refused with their place`() throws {
    for odd in [Double.nan, .infinity] {
      let tensors = network().parameters.map { parameter in
        (name: parameter.name, tensor: parameter.name == "proj.3.bias" ? parameter.tensor * 0 + odd : parameter.tensor)
      }
      try SafetensorsWriter.write(tensors, to: folder("odd.safetensors"))
      let failure = #expect(throws: Failure.self) { try importing(folder("odd.safetensors")) }
      #expect(
        failure?.status == .badData && "\(failure!)".contains("proj.3.bias") && "\(failure!)".contains("element 0"))
    }
  }

  @Test func `a file without a TempNet, with two, or with half of one is refused`() throws {
    try SafetensorsWriter.write([("lm_head.weight", Tensor.zeros([23, 4]))], to: folder("none.safetensors"))
    let twice = network().parameters.map { (name: "b.\($0.name)", tensor: $0.tensor) }
    let both = try write(network(), prefix: "a.", to: "two.safetensors", also: twice)
    let most = network().parameters.filter { $0.name != "last.bias" }.map { (name: $0.name, tensor: $0.tensor) }
    try SafetensorsWriter.write(most, to: folder("most.safetensors"))
    for (path, word) in [
      (folder("none.safetensors"), "none"), (both, "a.*, b.*"), (folder("most.safetensors"), "last.bias"),
    ] {
      let failure = #expect(throws: Failure.self) { try importing(path) }
      #expect(failure?.status == .badData && "\(failure!)".contains(word), "\(failure!)")
    }
    #expect(throws: Failure.self) { try importing(folder("missing.safetensors")) }
  }
}
