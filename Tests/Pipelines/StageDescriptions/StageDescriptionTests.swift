import Artifacts
import Configuration
import Diagnostics
import Files
import JSON
import StageDescriptions
import TestSupport
import Testing

@Suite struct StageDescriptionTests {
  struct Settings: StageConfiguration {
    var steps: Int
    var corpus: [String]

    init(reading reader: inout ConfigurationReader) throws {
      steps = try reader.integer("steps", default: 10, in: 1...100, help: "steps")
      corpus = try reader.paths("corpus", default: [], help: "texts")
      _ = try reader.threads()
    }
  }

  enum Sample: StageDescription {
    static let name = "sample"
    static let summary = "Samples."
    static let version = 3
    static let output = ArtifactKind.tempnet
    static let inputs = [
      StageInput("tokens", .tokens), StageInput("model", .model, isRequired: false),
      StageInput("features", .features, isRequired: false, isRepeated: true),
    ]
    typealias Configuration = Settings

    static func rawInputs(_ configuration: Settings) throws -> [RawInput] {
      configuration.corpus.enumerated().map { RawInput("corpus/\($0.offset)", path: $0.element) }
    }
  }

  @Test func `the runner passes inputs in declared order and repeated ones after one option`() {
    let arguments = Sample.arguments(
      inputs: ["features": ["f1", "f2"], "tokens": ["t"]], configurationFile: "c.json", output: "o", key: "k")
    #expect(
      arguments == [
        "--tokens", "t", "--features", "f1", "f2", "--config", "c.json", "--output", "o", "--expect-key", "k",
      ])
  }

  @Test func `inputs that are missing, too many or unknown are named`() {
    #expect(Sample.problem(withInputs: ["tokens": 1, "features": 3]) == nil)
    #expect(Sample.problem(withInputs: [:]) == "the stage sample needs the input 'tokens'")
    #expect(Sample.problem(withInputs: ["tokens": 2]) == "the stage sample takes one 'tokens', not several")
    #expect(
      Sample.problem(withInputs: ["tokens": 1, "modle": 1])
        == "the stage sample has no input 'modle'; did you mean 'model'?")
  }

  @Test func `threads and paths do not change the key, contents and settings do`() throws {
    func key(_ set: [String], _ inputs: [InputReference] = []) throws -> String {
      let configuration = try Settings.resolve(file: nil, overrides: set.map(ConfigurationOverride.init(parsing:)))
      return Sample.identity(configuration: configuration.canonical, inputs: inputs).key
    }
    let plain = try key([])
    #expect(try key(["threads=7", "corpus=[a.txt]", "steps=10"]) == plain)
    #expect(try key(["steps=11"]) != plain)
    #expect(try key([], [InputReference(name: "corpus/0", kind: RawInput.kind, key: "aa")]) != plain)
  }

  @Test func `a request finds the key that the runner planned with`() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write("some text", to: "\(folder.path)/a.txt")
    let configuration = try Settings.resolve(
      file: nil, overrides: [try ConfigurationOverride(parsing: "corpus=\(folder.path)/a.txt")])
    let request = try StageRequest<TextOnly>(configuration, inputs: [:], output: "o", digests: FileDigests())
    let planned = TextOnly.identity(
      configuration: configuration.canonical,
      inputs: [InputReference(name: "text", kind: RawInput.kind, key: SHA256.hex(of: "some text"))])
    #expect(request.key == planned.key)
    #expect(request.identity(["threads": 2]).key == planned.key)
  }

  enum TextOnly: StageDescription {
    static let name = "text"
    static let summary = "Reads."
    static let version = 1
    static let output = ArtifactKind.tokens
    static let inputs: [StageInput] = []
    typealias Configuration = Settings

    static func rawInputs(_ configuration: Settings) throws -> [RawInput] {
      configuration.corpus.map { RawInput("text", path: $0) }
    }
  }

  @Test func `what a program is not given is a usage error`() throws {
    let configuration = try Settings.resolve(file: nil, overrides: [])
    #expect {
      try StageRequest<Sample>(configuration, inputs: ["tokens": []], output: "o", digests: FileDigests())
    } throws: {
      $0 as? Failure == Failure(.usage, "the stage sample needs the input 'tokens'")
    }
  }

  @Test func `every stage has a name, a program and keys that can be listed`() {
    for stage in Stages.all {
      #expect(Stages.named(stage.name) == stage)
      #expect(stage.program == "tempnet-\(stage.name)")
      #expect(Set(stage.inputs.map(\.name)).count == stage.inputs.count)
    }
    #expect(Set(Stages.all.map { $0.name }).count == Stages.all.count)
  }

  @Test func `of a folder of texts only what is read is in the key`() throws {
    let folder = try TemporaryFolder()
    func inputs() throws -> [String] {
      let override = try ConfigurationOverride(parsing: "corpus=\(folder.path)")
      return try Tokenize.rawInputs(TokenizeConfiguration.resolve(file: nil, overrides: [override]).values).map(\.name)
    }
    try folder.write("one", to: "a/b.txt")
    #expect(try inputs() == ["corpus/0/a/b.txt"])
    for name in [".DS_Store", ".git/index", "a/.b.swp", "__MACOSX/a/._b.txt"] { try folder.write("x", to: name) }
    #expect(try inputs() == ["corpus/0/a/b.txt"])
  }

  /// Fails where `make` ignores a finished artifact, or publishes it without the summary.
  @Test func `a stage is not run again where its artifact is there`() throws {
    let folder = try TemporaryFolder()
    try folder.write("weights", to: "weights.safetensors")
    let configuration = try ImportConfiguration.resolve(
      file: nil,
      overrides: ["weights=\(folder("weights.safetensors"))", "input=logits", "tau_min=0.1", "tau_max=2", "rho=1"]
        .map(ConfigurationOverride.init(parsing:)))
    let request = try StageRequest<Import>(configuration, inputs: [:], output: folder("out"), digests: FileDigests())
    var runs = 0
    func make() throws -> Artifact {
      try request.make(["device": "cpu"]) { builder in
        runs += 1
        try AtomicFile.write("content", to: builder.path(for: "file"))
        return ["runs": .integer(runs)]
      }
    }
    let first = try make()
    #expect(first.key == request.key && first.manifest.resolution == ["device": "cpu"])
    #expect(try make().manifest == first.manifest)
    #expect(runs == 1 && first.summary == ["runs": 1])
  }

  @Test func `a model made elsewhere is identified by the content of its files, wherever they lie`() throws {
    let folder = try TemporaryFolder()
    let digests = FileDigests()
    func inputs(_ name: String) throws -> [InputReference] {
      try StageInput("model", .model, takesPublishedModels: true).references(at: folder(name), digests)
    }
    try folder.write("GGUF and so on", to: "model.gguf")
    let sha256 = SHA256.hex(of: "GGUF and so on")
    #expect(try inputs("model.gguf") == [InputReference(name: "model", kind: "file", key: sha256)])

    try folder.write("{\"model_type\": \"llama\"}", to: "a/config.json")
    try folder.write("weights", to: "a/model.safetensors")
    try folder.write("{}", to: "a/tokenizer.json")
    try folder.write("unrelated", to: "a/README.md")
    let first = try inputs("a")
    #expect(first.map(\.name) == ["model/config.json", "model/model.safetensors", "model/tokenizer.json"])
    for name in try Files.list(folder("a")) { try folder.write(text(folder("a/\(name)")), to: "b/\(name)") }
    try folder.write("changed", to: "b/README.md")
    #expect(try inputs("b") == first)
    try folder.write("other weights", to: "b/model.safetensors")
    #expect(try inputs("b")[1] != first[1])

    // An input that does not take them asks for an artifact.
    let failure = #expect(throws: Failure.self) {
      try StageInput("model", .model).references(at: folder("a"), digests)
    }
    #expect(failure?.status == .badData)
    let none = #expect(throws: Failure.self) { try inputs("none") }
    #expect(none?.status == .missingInput)
  }

  @Test func `the vocabulary of a model at a path is what its configuration states`() throws {
    let folder = try TemporaryFolder()
    let input = StageInput("model", .model, takesPublishedModels: true)
    try folder.write("{\"vocab_size\": 50257}", to: "published/config.json")
    try folder.write("{\"vocabulary\": 380}", to: "own/config.json")
    #expect(try input.vocabulary(at: folder("published")) == 50257)
    #expect(try input.vocabulary(at: folder("own")) == 380)
    #expect(try input.vocabulary(at: folder("model.gguf")) == nil)
    #expect(try StageInput("tokens", .tokens).vocabulary(at: folder("own")) == nil)
  }

  @Test func `a model that is given decides on the vocabulary, also where its size is not known`() throws {
    let configuration = try PretrainConfiguration.resolve(file: nil, overrides: []).values
    #expect(Pretrain.vocabulary(configuration, inputs: ["tokens": 300]) == 300)
    #expect(Pretrain.vocabulary(configuration, inputs: ["tokens": 300, "model": 380]) == 380)
    #expect(Pretrain.vocabulary(configuration, inputs: ["tokens": 300, "model": nil]) == nil)
  }

  @Test func `files that only add to a tokenizer count where text is turned into ids`() throws {
    let folder = try TemporaryFolder()
    for (name, content) in [
      ("config.json", "{\"model_type\": \"gpt2\"}"), ("model.safetensors", "weights"), ("tokenizer.json", "{}"),
      ("added_tokens.json", "{}"), ("special_tokens_map.json", "{}"),
    ] { try folder.write(content, to: name) }
    func names(_ description: any StageDescription.Type) throws -> [String] {
      let input = try #require(description.inputs.first { $0.name == "model" })
      return try input.references(at: folder.path, FileDigests()).map(\.name)
    }
    let read = ["model/config.json", "model/model.safetensors", "model/tokenizer.json"]
    for stage in [Features.self, Pretrain.self] as [any StageDescription.Type] { #expect(try names(stage) == read) }
    #expect(
      try names(Evaluate.self).sorted()
        == (read + ["model/added_tokens.json", "model/special_tokens_map.json"]).sorted())
  }
}
