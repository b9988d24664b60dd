import Artifacts
import Configuration
import EvaluateStage
import Files
import JSON
import StageDescriptions
import TestSupport
import Testing
import TokenizeStage

/// Tasks on a published model whose files name other borders of texts than the token that closes documents: scored as the
/// harness scores them, though the tokens that the model is evaluated on do not know these borders.
@Suite struct PublishedTaskTests {
  private let folder = try! TemporaryFolder()
  private let fixtures = checkout("Tests/Language/LanguageEvaluation/Tasks/Fixtures")

  @Test(arguments: ["end", "begin"])
  func `texts begin as the model's own files say`(_ name: String) throws {
    let path = "\(fixtures)/prefix.json"
    let expected = try JSON(parsing: Files.read(path), source: path)
    let variant = expected["variants"]![name]!
    try writeModel(expected["added_tokens"]!.arrayValue!, variant)
    try writeTask("lambada_openai", "text", expected["items"]!)
    try writeTask("wikitext", "page", expected["pages"]!)
    let artifact = try evaluate()
    for (task, scores) in [("lambada_openai", variant["lambada"]!), ("wikitext", variant["wikitext"]!)] {
      let lines = try text(artifact.file("items-\(task).jsonl")).split(separator: "\n")
      let found = try lines.map { line in
        let item = try JSON(parsing: String(line), source: task)
        return item["requests"]!.arrayValue![0]["log_likelihood"]!["one"]!.doubleValue!
      }
      #expect(found.count == scores.arrayValue!.count)
      for (ours, theirs) in zip(found, scores.arrayValue!) {
        #expect(abs(ours - theirs.doubleValue!) < 1e-3, "\(task): \(ours), \(theirs)")
      }
    }
  }

  private func writeModel(_ added: [JSON], _ variant: JSON) throws {
    try Files.makeFolder(folder("model"))
    for name in ["config.json", "model.safetensors"] {
      try Files.link(folder("model/\(name)"), to: "\(fixtures)/model/\(name)")
    }
    let path = "\(fixtures)/model/tokenizer.json"
    var tokenizer = try JSON(parsing: Files.read(path), source: path)
    tokenizer["added_tokens"] = .array(tokenizer["added_tokens"]!.arrayValue! + added)
    tokenizer["post_processor"] = variant["post_processor"]
    try AtomicFile.write(tokenizer.pretty, to: folder("model/tokenizer.json"))
    try AtomicFile.write(variant["tokenizer_config"]!.pretty, to: folder("model/tokenizer_config.json"))
  }

  private func writeTask(_ name: String, _ member: String, _ texts: JSON) throws {
    let lines = texts.arrayValue!.map { JSON.object([member: $0]).compact }
    try folder.write(lines.joined(separator: "\n"), to: "\(name).jsonl")
    try folder.write("task: \(name)\ndata: \(name).jsonl\n", to: "\(name).yaml")
  }

  private func evaluate() throws -> Artifact {
    try folder.write(String(repeating: "The lamp was lit and it shone over the sea.\n", count: 60), to: "text.txt")
    func overrides(_ settings: String...) throws -> [ConfigurationOverride] {
      try (settings + ["threads=1"]).map(ConfigurationOverride.init(parsing:))
    }
    _ = try TokenizeStage.run(
      StageRequest<Tokenize>(
        try TokenizeConfiguration.resolve(
          file: nil,
          overrides: overrides(
            "corpus=\(folder("text.txt"))", "tokenizer=\(folder("model"))", "validation=0.3", "test=0.3")),
        inputs: [:], output: folder("tokens"), digests: FileDigests()))
    let tasks = "tasks=[\(folder("lambada_openai.yaml")), \(folder("wikitext.yaml"))]"
    return try EvaluateStage.run(
      StageRequest<Evaluate>(
        try EvaluateConfiguration.resolve(
          file: nil, overrides: overrides(tasks, "rho=2", "bootstrap.resamples=100", "device=cpu", "compute=float32")),
        inputs: ["model": [folder("model")], "tokens": [folder("tokens")]], output: folder("out"),
        digests: FileDigests()))
  }
}
