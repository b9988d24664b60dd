import Artifacts
import Configuration
import Diagnostics
import EncoderDescriptions
import Files
import ImageTextModels
import JSON
import StageDescriptions
import TempNet
import TemperatureSettings
import TestSupport
import Testing
import Torch
import Weights

@testable import ExportStage

/// TempNets of images and texts, and heads of dual encoders, in other tools.
@Suite struct EmbeddingExportTests {
  private let folder = try! TemporaryFolder()

  private func tempnets(
    _ form: EmbeddingTempNetSettings.Form, _ sides: [EmbeddingSide], stage: String = "fit",
    kind: ArtifactKind = .tempnet, _ configuration: JSON = ["objective": "robust"]
  ) throws -> Artifact {
    TorchRuntime.seed(4)
    let settings = EmbeddingTempNetSettings(
      form: form, width: 6, units: 9, tauMin: 0.005, tauMax: 0.3, rho: 2.5, dropout: 0.25)
    let networks = sides.map { side in
      let network = EmbeddingTemperatureNetwork(settings)
      for parameter in network.parameters { parameter.tensor.add(.normal(parameter.tensor.shape)) }
      return (side: side, network: network)
    }
    let identity = StageIdentity(
      program: "tempnet-\(stage)", stage: stage, stageVersion: 1, kind: kind, configuration: configuration, inputs: [])
    let builder = try ArtifactBuilder(output: folder("fitted"), identity: identity)
    try EmbeddingTempNetFile.write(networks, to: builder.path(for: EmbeddingTempNetFile.name))
    return try builder.publish(summary: [:])
  }

  private func dualEncoder() throws -> Artifact {
    let configuration = DualEncoderConfiguration.heads(
      HeadsConfiguration(
        image: TowerRecord("eyes", size: 64, width: 5), text: TowerRecord("words", width: 4), hidden: 7, embed: 6,
        dropout: 0.25))
    let identity = StageIdentity(
      program: "tempnet-contrast", stage: "contrast", stageVersion: 1, kind: .dualEncoder, configuration: [:],
      inputs: [])
    let builder = try ArtifactBuilder(output: folder("encoder"), identity: identity)
    try DualEncoder(configuration, seed: 3, scale: LogitScale(20, from: .fixed)).save(builder)
    return try builder.publish(summary: [:])
  }

  private func export(
    _ format: String, tempnet: Artifact? = nil, model: Artifact? = nil, output: String = "out"
  ) throws -> Artifact {
    let configuration = try ExportConfiguration.resolve(
      file: nil, overrides: [try ConfigurationOverride(parsing: "format=\(format)")])
    let inputs = ["tempnet": tempnet, "model": model].compactMapValues { $0.map { [$0.path] } }
    return try ExportStage.run(
      StageRequest<Export>(configuration, inputs: inputs, output: folder(output), digests: .forProgram))
  }

  @Test func `safetensors have the published names, and every setting`() throws {
    let tempnet = try tempnets(.prototypes, EmbeddingSide.allCases)
    let file = try SafetensorsFile(export("safetensors", tempnet: tempnet).file(EmbeddingTempNetFile.name))
    let names = ["proj.weight", "proj.bias", "scaler", "prototypes", "linear_1.weight", "linear_1.bias"]
    let expected = ["image", "text"].flatMap { side in names.map { "\(side)_temp_gen.\($0)" } }
    #expect(Set(file.entries.map(\.name)) == Set(expected))
    #expect(file.metadata["tempnet_key"] == tempnet.key && file.metadata["rho"] == "2.5")
  }

  @Test func `a bundle says what the TempNet is, and holds all that applying it takes`() throws {
    let tempnet = try tempnets(.layers, [.text])
    let bundle = try export("bundle", tempnet: tempnet)
    var members: [String: [UInt8]] = [:]
    let archive = try ArchiveReader(bundle.file("tempnet-bundle.tar.zst"))
    while let entry = try archive.next() {
      var content: [UInt8] = []
      while case let bytes = try entry.read(upTo: 1 << 16), !bytes.isEmpty { content += bytes }
      members[entry.entryName] = content
    }
    #expect(
      Set(members.keys) == [
        "tempnet/README.md", "tempnet/config.json", "tempnet/tempnet.py", "tempnet/dual_encoder.py",
        "tempnet/tempnets.safetensors",
      ])
    let card = String(decoding: members["tempnet/README.md"]!, as: UTF8.self)
    #expect(card.contains("the embedding of a caption"))
    #expect(card.contains("fitted to a frozen dual encoder"))
    #expect(card.contains("with the robust loss"))
    #expect(card.contains("EmbeddingTempNet.load(\"tempnets.safetensors\", \"text\")"))
  }

  @Test(arguments: [("tempnet", "with the robust loss"), ("tempnet_cross_entropy", "not the robust loss")])
  func `the card of a dual encoder's TempNets says that they were trained with it`(_ loss: String, _ words: String)
    throws
  {
    let encoder = try tempnets(
      .prototypes, EmbeddingSide.allCases, stage: "contrast", kind: .dualEncoder, ["loss": .string(loss)])
    let card = EmbeddingTempNetCard(
      settings: EmbeddingTempNetSettings(width: 6, units: 9, tauMin: 0.005, tauMax: 0.3, rho: 2.5),
      sides: EmbeddingSide.allCases, tempnet: encoder)
    #expect(card.text.contains("a picture or a caption"))
    #expect(card.text.contains("trained jointly with its dual encoder"))
    #expect(card.text.contains(words), "\(card.text)")
    #expect(card.configuration["origin"] == "joint")
  }

  @Test(arguments: ["gguf", "huggingface"])
  func `forms that a TempNet of embeddings does not have are refused`(format: String) throws {
    let tempnet = try tempnets(.layers, [.image])
    let failure = #expect(throws: Failure.self) { try export(format, tempnet: tempnet) }
    // A missing input is a command line of a wrong form, a form that there is not a refused value.
    #expect(failure?.status == (format == "gguf" ? .usage : .badConfiguration))
  }

  @Test(.enabled(if: slowTestsEnabled || python != nil), arguments: EmbeddingTempNetSettings.Form.allCases)
  func `NumPy and ONNX Runtime find our temperatures and our rows`(form: EmbeddingTempNetSettings.Form) throws {
    let python = try #require(python, "TEMPNET_PYTHON names no interpreter")
    let tempnet = try tempnets(form, EmbeddingSide.allCases)
    let model = try dualEncoder()
    let encoder = try DualEncoder.read(model)
    TorchRuntime.seed(9)
    let (images, texts) = (Tensor.normal([17, 5]), Tensor.normal([17, 4]))
    let rows = withoutGradients { (image: encoder.images(images), text: encoder.texts(texts)) }
    let file = try tempnet.file(EmbeddingTempNetFile.name)
    let tau = try EmbeddingSide.allCases.map { side in
      let network = try EmbeddingTempNetFile.read(file, side: side)
      return withoutGradients { network(side == .image ? rows.image : rows.text) }
    }
    try SafetensorsWriter.write(
      [
        ("images", images), ("texts", texts), ("image_rows", rows.image), ("text_rows", rows.text),
        ("image_tau", tau[0]), ("text_tau", tau[1]),
      ], to: folder("ours.safetensors"))
    let parts = try [
      export("safetensors", model: model, output: "heads"), export("onnx", model: model, output: "heads-onnx"),
      export("safetensors", tempnet: tempnet, output: "nets"), export("onnx", tempnet: tempnet, output: "nets-onnx"),
    ]
    let said = try output(
      of: python, [checkoutFile("Fixtures/compare_pairs.py"), folder("ours.safetensors")] + parts.map(\.path))
    #expect(try #require(Double(said.filter { !$0.isWhitespace })) < 1e-5)
  }
}

private func checkoutFile(_ name: String) -> String { "\(Files.folder(of: #filePath))/\(name)" }
