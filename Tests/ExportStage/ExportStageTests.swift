import Artifacts
import Configuration
import Diagnostics
import Evaluation
import ExportStage
import Foundation
import StageDescriptions
import TempNet
import TestSupport
import Testing
import Torch
import Weights

@Suite struct ExportStageTests {
  private let folder: TemporaryFolder
  private let network: TemperatureNetwork

  init() throws {
    folder = try TemporaryFolder()
    Machine.seed(11)
    network = TemperatureNetwork(
      TempNetSettings(vocabulary: 37, hidden: 8, tauMin: 0.2, tauMax: 3, rho: 1.5, input: .centred))
    // Weights far from the initial ones, so that a mistake anywhere shows.
    for parameter in network.parameters { parameter.tensor.add(.normal(parameter.tensor.shape)) }
    let identity = StageIdentity(
      program: "tempnet-fit", stage: "fit", stageVersion: 1, kind: .tempnet, configuration: [:], inputs: [],
      resolution: [:])
    let builder = try ArtifactBuilder(output: folder("fitted"), identity: identity)
    try network.save(builder.path(for: "tempnet.safetensors"))
    _ = try builder.publish(summary: [:])
  }

  private func export(_ format: String, evaluation: String? = nil) throws -> Artifact {
    let configuration = try ExportConfiguration.resolve(
      file: nil, overrides: [ConfigurationOverride(parsing: "format=\(format)")])
    let request = try StageRequest<Export>(
      configuration, inputs: ["tempnet": [folder("fitted")], "evaluation": evaluation.map { [$0] } ?? []],
      output: folder(format), digests: .forProgram)
    return try ExportStage.run(request)
  }

  /// An evaluation of the TempNet with this key, with invented results.
  private func evaluation(of key: String) throws -> String {
    let reference = InputReference(name: "tempnet", kind: "tempnet", key: key)
    let identity = StageIdentity(
      program: "tempnet-evaluate", stage: "evaluate", stageVersion: 1, kind: .evaluation, configuration: [:],
      inputs: [reference])
    let scores = TestScores(
      entropy: [1, 2, 3], isCorrect: [true, false, true],
      policies: [
        PolicyScores(
          name: "one", title: "temperature 1", kind: .fixed, temperature: [1, 1, 1], crossEntropy: [0.5, 1, 1.5]),
        PolicyScores(
          name: "tempnet", title: "the fitted | TempNet", kind: .tempnet, temperature: [0.5, 1, 2],
          crossEntropy: [0.5, 0.75, 1]),
      ],
      extent: TextExtent(tokens: 3, documents: 1, bytes: 12, words: 2), rho: 1.5, vocabulary: 37, bounds: 0.2...3)
    let context = ReportContext(
      facts: [], inputs: [], sources: [ReportContext.Source(name: "Emma", licence: "public domain", origin: "a|shelf")],
      configuration: [:])
    let metrics = Metrics(scores, bootstrap: BlockBootstrap(count: 3, blockLength: 1, resamples: 100))
    let builder = try ArtifactBuilder(output: folder("evaluation-\(key.prefix(8))"), identity: identity)
    try AtomicFile.write(MetricsFile.json(metrics, context: context).pretty, to: builder.path(for: MetricsFile.name))
    return try builder.publish(summary: [:]).path
  }

  /// Unpacks the bundle and returns the folder it holds.
  private func unpackedBundle(evaluation: String? = nil) throws -> String {
    let archive = try ArchiveReader(export("bundle", evaluation: evaluation).file("tempnet-bundle.tar.zst"))
    while let entry = try archive.next() {
      let path = folder(entry.entryName)
      try Files.makeFolder(Files.folder(of: path))
      let writer = try FileWriter(path)
      while case let bytes = try entry.read(upTo: 1 << 16), !bytes.isEmpty { try writer.write(bytes) }
      try writer.close()
    }
    return folder("tempnet")
  }

  /// Whoever changes these texts raises `Export.version` and writes the new digests here. The release's name is left out.
  @Test func `gives the results of its version`() throws {
    #expect(Export.version == 1)
    let bundle = try unpackedBundle()
    let digests = try ["README.md", "config.json", "tempnet.py"].map { name in
      String(SHA256.hex(of: try text("\(bundle)/\(name)").replacing(Release.version, with: "")).prefix(16))
    }
    #expect(digests == ["f84bd0d8d8cff1f7", "1ecfdba790fb1f09", "620a510be638eb18"])
  }

  @Test func `the safetensors export holds the published names and every setting`() throws {
    let path = try export("safetensors").file("tempnet.safetensors")
    let file = try SafetensorsFile(path)
    #expect(
      file.entries.map(\.name).sorted() == [
        "last.bias", "last.weight", "proj.0.bias", "proj.0.weight", "proj.3.bias", "proj.3.weight", "scaler",
      ])
    let loaded = try TemperatureNetwork.load(path)
    #expect(loaded.settings == network.settings)
    #expect(loaded.parameters.map { $0.tensor.floats } == network.parameters.map { $0.tensor.floats })
    #expect(file.metadata["tempnet_key"]?.count == 64)
  }

  @Test func `the bundle holds weights, settings, a card and the Python module, and nothing of the clock`() throws {
    let bundle = try unpackedBundle()
    #expect(try Files.list(bundle).sorted() == ["README.md", "config.json", "tempnet.py", "tempnet.safetensors"])
    #expect(try text("\(bundle)/README.md").contains("No evaluation was exported"))
    let first = try Files.read(folder("bundle/tempnet-bundle.tar.zst"))
    try Files.remove(folder("bundle"))
    #expect(try Files.read(export("bundle").file("tempnet-bundle.tar.zst")) == first)
  }

  @Test func `the card states what was measured, on what, and whose data it is`() throws {
    let key = try Artifact.open(folder("fitted")).key
    let bundle = try unpackedBundle(evaluation: evaluation(of: key))
    let card = try text("\(bundle)/README.md")
    #expect(card.contains("the 3 tokens of the test split"))
    // exp(1), 3 / (12 ln 2) and the mean of 1 * (CE - entropy) for ln 37 - 1.5.
    #expect(card.contains("| temperature 1 | -1.1109 | 2.718 | 0.3607 | 1.000 |"))
    #expect(card.contains("| the fitted / TempNet |"))
    #expect(card.contains("| Emma | public domain | a/shelf |"))
    #expect(card.contains("Key of the TempNet: `\(key)`; of the evaluation: `"))
    #expect(try Files.list(bundle).contains("metrics.json"))
  }

  @Test func `measurements of another TempNet are refused`() throws {
    let other = try evaluation(of: String(repeating: "0", count: 64))
    let failure = #expect(throws: Failure.self) { try export("bundle", evaluation: other) }
    #expect(failure?.status == .badData)
  }

  @Test func `an artifact that is no TempNet is refused`() throws {
    try Files.makeFolder(folder("nothing"))
    let configuration = try ExportConfiguration.resolve(file: nil, overrides: [])
    #expect(throws: Failure.self) {
      try StageRequest<Export>(
        configuration, inputs: ["tempnet": [folder("nothing")]], output: folder("out"), digests: .forProgram)
    }
  }

  @Test(.enabled(if: slowTestsEnabled || python != nil))
  func `the bundle's Python finds our temperatures with NumPy, PyTorch and as a logits processor`() throws {
    let python = try #require(python, "TEMPNET_PYTHON names no interpreter")
    let bundle = try unpackedBundle()
    Machine.seed(5)
    let logits = Tensor.normal([64, 37], standardDeviation: 5)
    try SafetensorsWriter.write([("logits", logits), ("tau", network(logits))], to: folder("ours.safetensors"))
    try folder.write(
      """
      import sys, numpy as np, torch
      sys.path.insert(0, sys.argv[1])
      from tempnet import TempNet, TempNetLogitsProcessor, read_safetensors
      ours, _ = read_safetensors(sys.argv[2])
      net = TempNet.load(sys.argv[1] + "/tempnet.safetensors")
      logits = torch.from_numpy(ours["logits"])
      processed = TempNetLogitsProcessor(net)(None, logits)
      random = np.random.default_rng(0)
      hidden, head, bias = (random.normal(size=s).astype(np.float32) for s in ((64, 12), (37, 12), 37))
      made = hidden @ head.T + bias
      print(np.abs(net(ours["logits"]) - ours["tau"]).max(), np.abs(net(logits).numpy() - ours["tau"]).max(),
            np.abs(net.folded(head, bias)(hidden, made) - net(made)).max(),
            (processed * torch.from_numpy(ours["tau"])[:, None] - logits).abs().max().item())
      """, to: "check.py")
    let output = try run(python, [folder("check.py"), bundle, folder("ours.safetensors")])
    let errors = output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    try #require(errors.count == 4)
    #expect(errors[0] < 1e-5 && errors[1] < 1e-5 && errors[2] < 1e-5 && errors[3] < 1e-4)
  }

  private func run(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: data, as: UTF8.self)
  }
}
