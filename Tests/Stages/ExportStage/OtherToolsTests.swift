import Artifacts
import Configuration
import Diagnostics
import ExportStage
import Files
import ModelFiles
import StageDescriptions
import TempNet
import TemperatureSettings
import TestSupport
import Testing
import Torch
import Weights

/// What is taken to other tools is read back by the libraries that people use for it, and gives our temperatures.
@Suite struct OtherToolsTests {
  private let folder = try! TemporaryFolder()

  private func export(_ settings: [String], model: String? = nil, evaluation: String? = nil) throws -> Artifact {
    let configuration = try ExportConfiguration.resolve(
      file: nil, overrides: settings.map(ConfigurationOverride.init(parsing:)))
    return try ExportStage.run(
      StageRequest<Export>(
        configuration,
        inputs: [
          "tempnet": [folder("fitted")], "evaluation": evaluation.map { [$0] } ?? [],
          "model": model.map { [$0] } ?? [],
        ],
        output: folder("out"), digests: .forProgram))
  }

  /// Hidden states, the logits that the model of `writeModel` makes of them, and a network's temperatures.
  private func writeOurs(_ network: TemperatureNetwork) throws -> String {
    TorchRuntime.seed(5)
    let hidden = Tensor.normal([64, 12])
    let logits = hidden.linear(head)
    try SafetensorsWriter.write(
      [("logits", logits), ("hidden", hidden), ("tau", network(logits, hidden: hidden))],
      to: folder("ours.safetensors"))
    return folder("ours.safetensors")
  }

  private var head: Tensor {
    TorchRuntime.seed(6)
    return .normal([37, 12], standardDeviation: 2)
  }

  /// A GGUF file with metadata and tensors of several kinds; nothing of it but the unembedding means anything.
  private func writeModel(_ name: String = "model.gguf", vocabulary: Int = 37) throws -> String {
    let head = head
    try GGUFWriter.write(
      [
        ("general.architecture", .string("llama")), ("llama.context_length", .uint32(77)),
        ("tokenizer.ggml.tokens", .strings((0..<vocabulary).map { "token \($0)" })),
        ("some.flag", .bool(true)), ("some.numbers", .floats([1, 2.5])), ("general.alignment", .uint32(32)),
      ],
      [
        GGUFWriter.Tensor("blk.0.odd.weight", shape: [3, 5]) { (0..<15).map(Float.init) },
        GGUFWriter.Tensor("output.weight", shape: [vocabulary, 12]) { Array(head.floats.prefix(vocabulary * 12)) },
        GGUFWriter.Tensor("output_norm.weight", shape: [12]) { [Float](repeating: 1, count: 12) },
      ], to: folder(name))
    return folder(name)
  }

  // MARK: - GGUF

  @Test(.enabled(if: slowTestsEnabled || python != nil), arguments: TempNetSettings.Input.allCases)
  func `the gguf package reads a TempNet of its own file, and NumPy finds our temperatures`(
    input: TempNetSettings.Input
  ) throws {
    let python = try #require(python, "TEMPNET_PYTHON names no interpreter")
    let network = try fittedTempNet(input, folder("fitted"))
    let artifact = try export(["format=gguf"])
    #expect(artifact.summary["file"]?.stringValue == "tempnet.gguf")
    let said = try output(
      of: python,
      [checkoutFile("Fixtures/read_gguf.py"), "alone", artifact.file("tempnet.gguf"), try writeOurs(network)])
    #expect(try #require(Double(said.filter { !$0.isWhitespace })) < 1e-5)
  }

  @Test(.enabled(if: slowTestsEnabled || python != nil), arguments: TempNetSettings.Input.allCases)
  func `a copy of a model's file holds the TempNet, and everything else as it was`(
    input: TempNetSettings.Input
  ) throws {
    let python = try #require(python, "TEMPNET_PYTHON names no interpreter")
    let network = try fittedTempNet(input, folder("fitted"))
    let model = try writeModel()
    let artifact = try export(["format=gguf"], model: model)
    #expect(artifact.summary["file"]?.stringValue == "model.gguf")
    let said = try output(
      of: python,
      [
        checkoutFile("Fixtures/read_gguf.py"), "copy", artifact.file("model.gguf"), try writeOurs(network), model,
      ])
    #expect(try #require(Double(said.filter { !$0.isWhitespace })) < 1e-5)
  }

  @Test func `a copy is the original but for what was added`() throws {
    _ = try fittedTempNet(.centred, folder("fitted"))
    let model = try writeModel()
    let (before, after) = (try GGUFFile(model), try GGUFFile(export(["format=gguf"], model: model).file("model.gguf")))
    #expect(Array(after.metadata.keys.prefix(before.metadata.keys.count)) == before.metadata.keys)
    #expect(
      after.metadata.keys.dropFirst(before.metadata.keys.count)
        .allSatisfy { $0.hasPrefix("tempnet.") || $0 == "general.sampling.temp" })
    for (a, b) in zip(before.tensors, after.tensors) {
      #expect(a.name == b.name && a.type == b.type && a.shape == b.shape && a.floats == b.floats)
    }
    #expect(try after.metadata.number(ifPresent: "general.sampling.temp") == 0.875)
    #expect(try after.metadata.string(ifPresent: "tempnet.input") == "centred")
  }

  @Test func `the single temperatures are those of an evaluation where there is one`() throws {
    _ = try fittedTempNet(.centred, folder("fitted"))
    let evaluation = try inventedEvaluation(of: Artifact.open(folder("fitted")).key, folder("evaluation"))
    let copy = try export(["format=gguf"], model: try writeModel(), evaluation: evaluation)
    let metadata = try GGUFFile(copy.file("model.gguf")).metadata
    #expect(try metadata.number(ifPresent: "general.sampling.temp") == 1.25)
    #expect(try metadata.number(ifPresent: "tempnet.best_temperature") == 1.25)
    #expect(try metadata.number(ifPresent: "tempnet.best_temperature.robust_loss") == 0.75)
    try Files.remove(folder("out"))
    let alone = try GGUFFile(export(["format=gguf"], evaluation: evaluation).file("tempnet.gguf")).metadata
    #expect(try alone.number(ifPresent: "tempnet.best_temperature") == 1.25)
    #expect(try alone.number(ifPresent: "tempnet.best_temperature.robust_loss") == 0.75)
  }

  @Test func `a model that the TempNet is not for, or that has one, is refused`() throws {
    _ = try fittedTempNet(.hidden, folder("fitted"))
    let other = #expect(throws: Failure.self) {
      try export(["format=gguf"], model: try writeModel("small.gguf", vocabulary: 30))
    }
    #expect(other?.status == .badData && other?.message.contains("37 logits") == true)
    let once = try export(["format=gguf"], model: try writeModel()).file("model.gguf")
    try AtomicFile.write(Files.read(once), to: folder("once.gguf"))
    try Files.remove(folder("out"))
    let twice = #expect(throws: Failure.self) { try export(["format=gguf"], model: folder("once.gguf")) }
    #expect(twice?.status == .badData && twice?.message.contains("is there already") == true)
  }

  // MARK: - The published classes

  @Test(.enabled(if: slowTestsEnabled || python != nil), arguments: ["training", "inference"])
  func `the published class loads the weights strictly and finds our temperatures`(variant: String) throws {
    let python = try #require(python, "TEMPNET_PYTHON names no interpreter")
    let network = try fittedTempNet(.logits, folder("fitted"))
    let path = try export(["format=safetensors", "variant=\(variant)"]).file("tempnet.safetensors")
    // Half precision changes temperatures; what is compared is what the same weights give.
    let read = try TemperatureNetwork.load(path)
    #expect(read.settings == network.settings)
    let said = try output(
      of: python, [checkoutFile("Fixtures/published_class.py"), variant, path, try writeOurs(read)])
    #expect(try #require(Double(said.filter { !$0.isWhitespace })) < 1e-5)
  }

  @Test func `the variant for inference has half precision and a scaler of one element`() throws {
    let network = try fittedTempNet(.centred, folder("fitted"))
    let file = try SafetensorsFile(export(["format=safetensors", "variant=inference"]).file("tempnet.safetensors"))
    #expect(file.entries.allSatisfy { $0.type == .float16 })
    #expect(try file.entry("scaler").shape == [1])
    for parameter in network.parameters {
      for (half, single) in zip(try file.entry(parameter.name).floats(), parameter.tensor.floats) {
        #expect(abs(half - single) <= 5e-4 * max(abs(single), 1e-3))
      }
    }
    #expect(throws: Failure.self) { try export(["format=npz", "variant=inference"]) }
  }

  // MARK: - Generation

  @Test(.enabled(if: slowTestsEnabled || python != nil), arguments: [TempNetSettings.Input.centred, .scaled])
  func `the bundle's Python sets the temperature of Hugging Face's generation and by vLLM's interface`(
    input: TempNetSettings.Input
  ) throws {
    let python = try #require(python, "TEMPNET_PYTHON names no interpreter")
    _ = try fittedTempNet(input, folder("fitted"))
    let archive = try ArchiveReader(export(["format=bundle"]).file("tempnet-bundle.tar.zst"))
    while let entry = try archive.next() {
      try Files.makeFolder(Files.folder(of: folder(entry.entryName)))
      let writer = try FileWriter(folder(entry.entryName))
      while case let bytes = try entry.read(upTo: 1 << 16), !bytes.isEmpty { try writer.write(bytes) }
      try writer.close()
    }
    let said = try output(of: python, [checkoutFile("Fixtures/generate.py"), folder("tempnet")])
    #expect(said.contains("generate and vllm: equal"), "\(said)")
  }
}

private func checkoutFile(_ name: String) -> String { "\(Files.folder(of: #filePath))/\(name)" }
