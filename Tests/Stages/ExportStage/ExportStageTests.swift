import Artifacts
import Configuration
import Diagnostics
import ExportStage
import Files
import JSON
import LanguageEvaluation
import StageDescriptions
import TempNet
import TemperatureSettings
import TestSupport
import Testing
import Torch
import Weights

@Suite struct ExportStageTests {
  private let folder: TemporaryFolder
  private let network: TemperatureNetwork

  init() throws {
    folder = try TemporaryFolder()
    network = try fittedTempNet(.centred, folder("fitted"))
  }

  private func export(
    _ format: String, evaluation: String? = nil, features: String? = nil, tempnet: String = "fitted"
  ) throws -> Artifact {
    let configuration = try ExportConfiguration.resolve(
      file: nil, overrides: [ConfigurationOverride(parsing: "format=\(format)")])
    let request = try StageRequest<Export>(
      configuration,
      inputs: [
        "tempnet": [folder(tempnet)], "evaluation": evaluation.map { [$0] } ?? [],
        "features": features.map { [$0] } ?? [],
      ],
      output: folder(format), digests: .forProgram)
    return try ExportStage.run(request)
  }

  private func evaluation(of key: String) throws -> String {
    try inventedEvaluation(of: key, folder("evaluation-\(key.prefix(8))"))
  }

  /// Unpacks the bundle and returns the folder it holds.
  private func unpackedBundle(evaluation: String? = nil, tempnet: String = "fitted") throws -> String {
    let archive = try ArchiveReader(
      export("bundle", evaluation: evaluation, tempnet: tempnet).file("tempnet-bundle.tar.zst"))
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
    #expect(Export.version == 7)
    let bundle = try unpackedBundle()
    let digests = try ["README.md", "config.json", "tempnet.py"].map { name in
      String(SHA256.hex(of: try text("\(bundle)/\(name)").replacing(Release.version, with: "")).prefix(16))
    }
    #expect(digests == ["b228cd2704d48640", "8650d9caa11bcd03", "89be7bd0a3fd84ea"])
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

  @Test func `the settings among NumPy's arrays are a text of code points`() throws {
    let archive = try ArchiveReader(export("npz").file("tempnet.npz"))
    var files: [String: [UInt8]] = [:]
    while let entry = try archive.next() {
      var content: [UInt8] = []
      while case let bytes = try entry.read(upTo: 1 << 16), !bytes.isEmpty { content += bytes }
      files[entry.entryName] = content
    }
    #expect(Set(files.keys) == Set(network.parameters.map { "\($0.name).npy" } + ["settings.npy"]))
    let file = try #require(files["settings.npy"])
    let start = 10 + Int(file[8]) + 256 * Int(file[9])
    let header = String(decoding: file[10..<start], as: UTF8.self)
    let scalars = stride(from: start, to: file.count, by: 4).compactMap { place in
      Unicode.Scalar(file[place..<place + 4].reversed().reduce(UInt32(0)) { 256 * $0 + UInt32($1) })
    }
    #expect(header.contains("'descr': '<U\(scalars.count)'") && header.contains("'shape': ()"))
    let settings = try JSON(parsing: String(String.UnicodeScalarView(scalars)), source: "settings")
    #expect(settings["input"] == "centred" && settings["vocabulary"] == "37")
  }

  @Test func `the bundle holds weights, settings, a card and the Python module, and nothing of the clock`() throws {
    let bundle = try unpackedBundle()
    #expect(try Files.list(bundle).sorted() == ["README.md", "config.json", "tempnet.py", "tempnet.safetensors"])
    #expect(try text("\(bundle)/README.md").contains("No evaluation was exported"))
    let first = try Files.read(folder("bundle/tempnet-bundle.tar.zst"))
    try Files.remove(folder("bundle"))
    #expect(try Files.read(export("bundle").file("tempnet-bundle.tar.zst")) == first)
  }

  @Test(arguments: [
    (
      "fit", ArtifactKind.tempnet, ["objective": "robust"] as JSON, "fitted to a frozen language model",
      "with the robust loss"
    ),
    (
      "fit", .tempnet, ["objective": "cross_entropy"] as JSON, "fitted to a frozen language model",
      "not the robust loss"
    ),
    (
      "pretrain", .model, ["objective": "robust"] as JSON, "trained jointly with its language model",
      "with the robust loss"
    ),
    (
      "pretrain", .model, ["objective": "tempnet_cross_entropy"] as JSON, "trained jointly with its language model",
      "not the robust loss"
    ),
    ("import", .tempnet, [:] as JSON, "imported from `weights/published.safetensors`", "is not recorded"),
  ])
  func `the card states how the TempNet was trained, and on what`(
    stage: String, kind: ArtifactKind, configuration: JSON, origin: String, loss: String
  ) throws {
    let inputs = [
      InputReference(name: "features", kind: "features", key: String(repeating: "fe", count: 32)),
      InputReference(name: "tokens", kind: "tokens", key: String(repeating: "70", count: 32)),
      InputReference(
        name: "weights/published.safetensors", kind: RawInput.kind, key: String(repeating: "0f", count: 32)),
    ]
    let made = stage == "fit" ? inputs[0] : stage == "pretrain" ? inputs[1] : inputs[2]
    let identity = StageIdentity(
      program: "tempnet-\(stage)", stage: stage, stageVersion: 1, kind: kind, configuration: configuration,
      inputs: [made],
      resolution: [:])
    let builder = try ArtifactBuilder(output: folder("made"), identity: identity)
    try network.save(builder.path(for: TempNetFile.name))
    _ = try builder.publish(summary: [:])
    let bundle = try unpackedBundle(tempnet: "made")
    let card = try text("\(bundle)/README.md").split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(card.contains(origin) && card.contains(loss), "\(card)")
    if stage != "import" { #expect(card.contains("`\(made.key.prefix(16))`")) }
    // A likelihood does not contain rho.
    #expect(card.contains("| rho, not used in training |") == (loss == "not the robust loss"), "\(card)")
    let settings = try JSON(parsing: try Files.read("\(bundle)/config.json"), source: "config.json")
    #expect(settings["objective"] ?? .null == configuration["objective"] ?? .null)
  }

  @Test func `the bundle's configuration holds every setting of a network that reads hidden states`() throws {
    let own = try fittedTempNet(.hidden, folder("hidden"))
    let bundle = try unpackedBundle(tempnet: "hidden")
    let settings = try JSON(parsing: try Files.read("\(bundle)/config.json"), source: "config.json")
    for (name, value) in own.settings.metadata where name != "format_version" {
      let member = settings[name]
      let found =
        member?.stringValue ?? member?.intValue.map { "\($0)" } ?? member?.doubleValue.map { "\($0)" }
      #expect(found == value, "\(name)")
    }
    #expect(settings["width"] == 12)
  }

  @Test func `the card states what was measured, on what, and whose data it is`() throws {
    let key = try Artifact.open(folder("fitted")).key
    let bundle = try unpackedBundle(evaluation: evaluation(of: key))
    let card = try text("\(bundle)/README.md")
    #expect(card.contains("the 3 tokens of the test split"))
    // exp(1), 3 / (12 ln 2) and the mean of 1 * (CE - entropy) for ln 37 - 1.5.
    #expect(card.contains("| temperature 1 | -1.1109 | 2.718 | 0.3607 | 1.000 |"))
    #expect(card.contains("| the fitted / TempNet |"))
    // A policy that is like an earlier one is told apart by the name that it was given.
    #expect(card.contains("| temperature 1 (mine) | -1.1109 | 2.718 | 0.3607 | 1.000 |"))
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

  @Test(.enabled(if: slowTestsEnabled || python != nil), arguments: TempNetSettings.Input.allCases)
  func `the bundle's Python finds our temperatures with NumPy, PyTorch and as a logits processor`(
    input: TempNetSettings.Input
  ) throws {
    let python = try #require(python, "TEMPNET_PYTHON names no interpreter")
    try Files.remove(folder("fitted"))
    let network = try fittedTempNet(input, folder("fitted"))
    let bundle = try unpackedBundle()
    TorchRuntime.seed(5)
    let hidden = Tensor.normal([64, 12])
    let (head, bias) = (Tensor.normal([37, 12], standardDeviation: 2), Tensor.normal([37]))
    let logits = hidden.linear(head, bias: bias)
    try SafetensorsWriter.write(
      [
        ("logits", logits), ("hidden", hidden), ("head", head), ("bias", bias),
        ("tau", network(logits, hidden: hidden)),
      ],
      to: folder("ours.safetensors"))
    try folder.write(
      """
      import sys, numpy as np, torch
      sys.path.insert(0, sys.argv[1])
      from tempnet import TempNet, TempNetLogitsProcessor, read_safetensors
      ours, _ = read_safetensors(sys.argv[2])
      net = TempNet.load(sys.argv[1] + "/tempnet.safetensors")
      logits, hidden = (torch.from_numpy(ours[name]) for name in ("logits", "hidden"))
      folded = net.folded(ours["head"], ours["bias"])(ours["hidden"], ours["logits"])
      tau = ours["tau"]
      try:
          processed = TempNetLogitsProcessor(net)(None, logits).numpy()
          assert net.input != "hidden"
      except ValueError:
          assert net.input == "hidden"
          processed = ours["logits"] / tau[:, None]
      print(np.abs(net(ours["logits"], ours["hidden"]) - tau).max(), np.abs(net(logits, hidden).numpy() - tau).max(),
            np.abs(folded - tau).max(), np.abs(processed * tau[:, None] - ours["logits"]).max())
      """, to: "check.py")
    let output = try output(of: python, [folder("check.py"), bundle, folder("ours.safetensors")])
    let errors = output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    try #require(errors.count == 4)
    #expect(errors[0] < 1e-5 && errors[1] < 1e-5 && errors[2] < 1e-5 && errors[3] < 1e-4)
  }

  @Test(.enabled(if: slowTestsEnabled || python != nil), arguments: [TempNetSettings.Input.centred, .scaled])
  func `the bundle's logits processor does without PyTorch, and says what it cannot read`(
    input: TempNetSettings.Input
  ) throws {
    let python = try #require(python, "TEMPNET_PYTHON names no interpreter")
    try Files.remove(folder("fitted"))
    _ = try fittedTempNet(input, folder("fitted"))
    let bundle = try unpackedBundle()
    try folder.write(
      """
      import sys, warnings, numpy as np
      sys.path.insert(0, sys.argv[1])
      warnings.simplefilter("error")
      from tempnet import TempNet, TempNetLogitsProcessor
      net = TempNet.load(sys.argv[1] + "/tempnet.safetensors")
      process = TempNetLogitsProcessor(net)
      logits = np.random.default_rng(1).normal(size=(5, 37)).astype(np.float32)
      assert np.array_equal(process(None, logits), logits / net(logits)[:, None].astype(np.float32))
      assert process(None, logits).dtype == np.float32 and process(None, logits.astype(np.float16)).dtype == np.float16
      masked = logits.copy()
      masked[2, 4] = -np.inf
      tempered = process(None, masked)
      assert np.array_equal(tempered[2], masked[2]) and np.array_equal(tempered[3], process(None, logits)[3])
      try:
          process(None, logits.tolist())
          raise SystemExit("a list should be refused")
      except TypeError as error:
          assert "NumPy arrays and PyTorch tensors, not list" in str(error), error
      assert "torch" not in sys.modules
      print("equal")
      """, to: "check.py")
    #expect(try output(of: python, [folder("check.py"), bundle]) == "equal\n")
  }

  @Test(.enabled(if: slowTestsEnabled || python != nil), arguments: TempNetSettings.Input.allCases)
  func `NumPy and ONNX Runtime read the arrays and graphs, and find our temperatures`(
    input: TempNetSettings.Input
  ) throws {
    let python = try #require(python, "TEMPNET_PYTHON names no interpreter")
    try Files.remove(folder("fitted"))
    let network = try fittedTempNet(input, folder("fitted"))
    TorchRuntime.seed(5)
    let hidden = Tensor.normal([64, 12])
    let (head, bias) = (Tensor.normal([37, 12], standardDeviation: 2), Tensor.normal([37]))
    let logits = hidden.linear(head, bias: bias)
    let statistics = LogitStatistics(logits)
    let norm = input == .logits ? statistics.norm : statistics.centredNorm
    try SafetensorsWriter.write(
      [
        ("logits", logits), ("hidden", hidden), ("tau", network(logits, hidden: hidden)),
        ("maximum", statistics.maximum), ("norm", norm), ("spread", statistics.spread),
      ], to: folder("ours.safetensors"))
    let identity = StageIdentity(
      program: "tempnet-features", stage: "features", stageVersion: 1, kind: .features, configuration: [:], inputs: [])
    let builder = try ArtifactBuilder(output: folder("features"), identity: identity)
    try SafetensorsWriter.write([("weight", head), ("bias", bias)], to: builder.path(for: "head.safetensors"))
    let onnx = try export("onnx", features: builder.publish(summary: [:]).path)
    let arrays = try export("npz").file("tempnet.npz")
    try folder.write(
      """
      import json, os, sys, numpy as np, onnxruntime
      from safetensors.numpy import load_file
      ours = load_file(sys.argv[1])
      weights = load_file(sys.argv[4])
      arrays = np.load(sys.argv[3])
      assert all(np.array_equal(arrays[name], weights[name]) for name in weights), arrays.files
      assert arrays["settings"].dtype.kind == "U" and arrays["settings"].shape == ()
      settings = json.loads(str(arrays["settings"]))
      errors = []
      for name in ("tempnet.onnx", "tempnet-folded.onnx"):
          path = os.path.join(sys.argv[2], name)
          if not os.path.exists(path):
              assert name == "tempnet-folded.onnx" and settings["input"] == "hidden"
              continue
          session = onnxruntime.InferenceSession(path)
          assert session.get_modelmeta().custom_metadata_map == settings
          feed = {node.name: ours[node.name] for node in session.get_inputs()}
          errors.append(np.abs(session.run(None, feed)[0] - ours["tau"]).max())
          # Another number of rows.
          one = {name: value[:1] for name, value in feed.items()}
          errors.append(np.abs(session.run(None, one)[0] - ours["tau"][:1]).max())
      print(len(errors), max(errors))
      """, to: "check.py")
    let output = try output(
      of: python,
      [folder("check.py"), folder("ours.safetensors"), onnx.path, arrays, folder("fitted/tempnet.safetensors")])
    let numbers = output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    try #require(numbers.count == 2)
    #expect(numbers[0] == (input == .hidden ? 2 : 4) && numbers[1] < 1e-5, "\(output)")
  }
}
