import Files
import Glibc
import JSON
import TestSupport
import Testing

/// Text from the recorded model, which has a TempNet of its own, 380 logits and a context of 32 tokens.
@Suite struct GenerateTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let samples = "\(Files.folder(of: #filePath))/Fixtures/artifacts-v1"
    for name in ["model", "tempnet"] { try Files.link(folder(name), to: "\(samples)/\(name)") }
  }

  private func arguments(_ further: [String]) -> [String] {
    ["--model", "model", "--threads", "1", "--device", "cpu"] + further
  }

  private func generate(_ further: String...) async throws -> Outcome {
    try await Program.generate(arguments(further), in: folder.path)
  }

  /// The JSON lines that a program prints, which has to succeed.
  private func lines(_ outcome: Outcome) throws -> [JSON] {
    try #require(outcome.end == .exited(0), "\(outcome)")
    return try outcome.lines.map { try JSON(parsing: $0, source: "standard output") }
  }

  @Test func `a line has a text and its tokens, and the same seed gives the same tokens`() async throws {
    let prompt = ["--prompt", "the parson ", "--policy", "dynamic-range:0..1.5", "--max-tokens", "12", "--json"]
    func run(seed: String) async throws -> JSON {
      let outcome = try await Program.generate(arguments(prompt + ["--seed", seed]), in: folder.path)
      let lines = try lines(outcome)
      try #require(lines.count == 1)
      return lines[0]
    }
    let made = try await run(seed: "1")
    #expect(made["prompt"] == "the parson " && made["prompt_number"] == 0 && made["sample"] == 0)
    let tokens = try #require(made["tokens"]?.arrayValue)
    let reason: JSON = tokens.count == 12 ? "length" : "stop"
    #expect(made["finish_reason"] == reason)
    #expect(tokens.compactMap { $0["text"]?.stringValue }.joined() == made["text"]?.stringValue)
    for token in tokens {
      func number(_ name: String) throws -> Double { try #require(token[name]?.doubleValue) }
      let (id, temperature) = (try #require(token["id"]?.intValue), try number("temperature"))
      #expect((0..<380).contains(id) && temperature > 0 && temperature < 1.5001)
      #expect(try number("log_probability") <= 0)
      #expect(try number("model_log_probability") <= 0)
      #expect(try number("entropy") >= 0)
    }
    #expect(try await run(seed: "1") == made)
    #expect(try await run(seed: "2")["text"] != made["text"])
  }

  @Test func `bfloat16 makes nearly the same probabilities, and other types are refused`() async throws {
    let prompt = ["--prompt", "the parson ", "--greedy", "--max-tokens", "1", "--json"]
    func probability(_ type: String) async throws -> Double {
      let made = try await lines(Program.generate(arguments(prompt + ["--compute", type]), in: folder.path))
      return try #require(made[0]["tokens"]?.arrayValue?.first?["model_log_probability"]?.doubleValue)
    }
    let (exact, rounded) = (try await probability("float32"), try await probability("bfloat16"))
    #expect(exact != rounded && abs(exact - rounded) < 0.05, "\(exact), \(rounded)")
    let refused = try await Program.generate(arguments(prompt + ["--compute", "half"]), in: folder.path)
    #expect(
      refused.end == .exited(78) && refused.errors.contains("--compute: compute must be one of auto, float32, bfloat16")
    )
  }

  @Test(arguments: ["float32", "bfloat16"])
  func `libtorch's own operators make nearly the same probabilities`(type: String) async throws {
    let prompt = ["--prompt", "the parson ", "--greedy", "--max-tokens", "1", "--json", "--compute", type]
    func generate(_ products: String) async throws -> Outcome {
      let environment = inheritedEnvironment.merging(["TEMPNET_PRODUCTS": products]) { $1 }
      return try await Program.generate(arguments(prompt), in: folder.path, environment: environment)
    }
    func probability(_ products: String) async throws -> Double {
      let made = try await lines(generate(products))
      return try #require(made[0]["tokens"]?.arrayValue?.first?["model_log_probability"]?.doubleValue)
    }
    let (fastest, plain) = (try await probability("fastest"), try await probability("plain"))
    #expect(abs(fastest - plain) < (type == "float32" ? 1e-4 : 0.02), "\(fastest), \(plain)")
    let refused = try await generate("slow")
    #expect(refused.end == .exited(78), "\(refused)")
    #expect(refused.errors.contains("TEMPNET_PRODUCTS: is 'slow', expected fastest or plain"), "\(refused)")
  }

  @Test func `a sample does not depend on the number of samples`() async throws {
    try folder.write("\"the parson\"\n\n{\"prompt\": \"a captain\"}\n", to: "prompts.jsonl")
    let one = try await lines(generate("--prompts", "prompts.jsonl", "--max-tokens", "8", "--json"))
    let three = try await lines(
      generate("--prompts", "prompts.jsonl", "--max-tokens", "8", "--json", "--samples", "3"))
    #expect(one.count == 2 && three.count == 6)
    #expect(three.filter { $0["sample"] == 0 } == one)
  }

  @Test func `temperatures are JSON lines if standard output is not a terminal`() async throws {
    let shown = try await generate("--prompt", "the parson", "--max-tokens", "4", "--show-temperature")
    let told = try await generate("--prompt", "the parson", "--max-tokens", "4", "--json")
    #expect(try lines(shown) == lines(told))
  }

  @Test func `each AlpacaEval instruction has one answer, with a generator named after model and policy`()
    async throws
  {
    try folder.write(
      "\n[{\"instruction\": \"Why?\", \"dataset\": \"x\"},\n \"the parson\"]\n", to: "instructions.json")
    func answers(_ further: String...) async throws -> [JSON] {
      let given = ["--prompts", "instructions.json", "--max-tokens", "4", "--alpaca-eval"]
      let outcome = try await Program.generate(arguments(given + further), in: folder.path)
      try #require(outcome.end == .exited(0), "\(outcome)")
      return try #require(try JSON(parsing: outcome.output, source: "standard output").arrayValue)
    }
    let made = try await answers("--policy", "0.7")
    #expect(made.map { $0["instruction"]?.stringValue } == ["Why?", "the parson"])
    #expect(made.allSatisfy { $0["output"]?.stringValue != nil && $0["generator"] == "model, policy 0.7" })
    #expect(try await answers()[0]["generator"] == "model, policy model")
    #expect(try await answers("--tempnet", "tempnet")[0]["generator"] == "model, policy tempnet")
    #expect(try await answers("--greedy")[0]["generator"] == "model, greedy")
    let several = try await generate("--prompt", "a", "--alpaca-eval", "--samples", "2")
    #expect(several.end == .exited(64) && several.errors.contains("one answer to each instruction"), "\(several)")
  }

  /// The prompts that a file gives to the model.
  private func prompts(_ file: [UInt8]) async throws -> [String?] {
    try AtomicFile.write(file, to: folder("prompts.jsonl"))
    let made = try await lines(generate("--prompts", "prompts.jsonl", "--max-tokens", "1", "--json"))
    return made.map { $0["prompt"]?.stringValue }
  }

  @Test func `an instruction's input follows after a blank line, and the AlpacaEval output has both unchanged`()
    async throws
  {
    let records = """
      {"instruction": "Why?", "input": "a ship", "output": "", "id": 3}
      {"prompt": "the parson", "input": "", "context": null, "messages": []}
      {"instruction": "a", "prompt": "a", "input": null}
      """
    #expect(try await prompts(Array(records.utf8)) == ["Why?\n\na ship", "the parson", "a"])
    let outcome = try await generate("--prompts", "prompts.jsonl", "--max-tokens", "1", "--alpaca-eval")
    try #require(outcome.end == .exited(0), "\(outcome)")
    let answers = try JSON(parsing: outcome.output, source: "standard output").arrayValue!
    #expect(answers.map { $0["instruction"]?.stringValue } == ["Why?", "the parson", "a"])
    #expect(answers.map { $0["input"]?.stringValue } == ["a ship", nil, nil])
  }

  @Test func `byte order marks and CR LF are not part of prompts`() async throws {
    let lines = Array("\"a\"\r\n\r\n{\"prompt\": \"b\"}\r\n".utf8)
    #expect(try await prompts([0xEF, 0xBB, 0xBF] + lines) == ["a", "b"])
    #expect(try await prompts([0xEF, 0xBB, 0xBF] + Array("[\"a\",\r\n\"b\"]".utf8)) == ["a", "b"])
  }

  @Test(arguments: [
    (#"{"instruction": "a", "messages": [{"role": "user", "content": "b"}]}"#, "\"messages\""),
    (#"{"prompt": "a", "system": "b"}"#, "--system"), (#"{"prompt": "a", "context": "b"}"#, "\"context\""),
    (#"{"prompt": "a", "instruction": "b"}"#, "both"), (#"{"instruction": "a", "input": ["b"]}"#, "\"input\" must be"),
    (#"{"prompt": 3}"#, "must be a string"), (#"{"prompt": 3, "instruction": "a"}"#, "must be a string"),
  ])
  func `names record fields that should be part of the prompt but are not read`(_ record: String, _ word: String)
    async throws
  {
    try folder.write("\"a\"\n\(record)\n", to: "prompts.jsonl")
    let outcome = try await generate("--prompts", "prompts.jsonl")
    #expect(outcome.end == .exited(65) && outcome.errors.contains("prompts.jsonl, line 2: "), "\(outcome)")
    #expect(outcome.errors.contains(word), "\(outcome)")
  }

  @Test(
    arguments: [
      ("UTF-16", [0xFF, 0xFE] + "\"a\"".utf8.flatMap { [$0, 0] }), ("UTF-16BE", "\"a\"".utf8.flatMap { [0, $0] }),
      ("UTF-32LE", "\"a\"".utf8.flatMap { [$0, 0, 0, 0] }),
    ] as [(String, [UInt8])])
  func `prompts in UTF-16 or UTF-32 are refused with the command that converts them`(_ name: String, _ bytes: [UInt8])
    async throws
  {
    try AtomicFile.write(bytes, to: folder("prompts.jsonl"))
    let outcome = try await generate("--prompts", "prompts.jsonl")
    #expect(outcome.end == .exited(65) && outcome.errors.contains("iconv -f \(name) -t UTF-8"), "\(outcome)")
  }

  @Test func `names the tokens that end texts, and refuses a model with fewer rows than its tokenizer has ids`()
    async throws
  {
    let models = checkout("Tests/Language/LanguageModels/Fixtures/llama")
    let own = "\(Files.folder(of: #filePath))/Fixtures/artifacts-v1/model/tokenizer.json"
    try Files.makeFolder(folder("small"))
    for name in ["config.json", "model.safetensors"] {
      try Files.link(folder("small/\(name)"), to: "\(models)/\(name)")
    }
    try Files.link(folder("small/tokenizer.json"), to: own)
    // More ids than rows: refused before computing.
    let few = try await generateWith("small", "--prompt", "a")
    #expect(few.end == .exited(65) && few.errors.contains("has 29 logits, too few for the 380 ids"), "\(few)")
    let said = try await generate("--prompt", "a", "--max-tokens", "1")
    #expect(said.errors.contains("texts end with \"<|endoftext|>\" (0: closes documents, its name)"), "\(said)")
  }

  private func generateWith(_ model: String, _ further: String...) async throws -> Outcome {
    try await Program.generate(["--model", model, "--threads", "1", "--device", "cpu"] + further, in: folder.path)
  }

  @Test func `names a prompt that is not usable`() async throws {
    try folder.write("\"a\"\n\n{\"text\": \"b\"}\n", to: "prompts.jsonl")
    let line = try await generate("--prompts", "prompts.jsonl")
    #expect(line.end == .exited(65) && line.output.isEmpty, "\(line)")
    #expect(line.errors.contains("prompts.jsonl, line 3: expected a string, or an object with"), "\(line)")
    try folder.write("[\"a\", 3]", to: "prompts.json")
    let entry = try await generate("--prompts", "prompts.json")
    #expect(entry.end == .exited(65) && entry.errors.contains("prompts.json, entry 2: expected a string"), "\(entry)")
    try folder.write("\"a\"\n\"\(String(repeating: "the parson ", count: 40))\"\n", to: "long.jsonl")
    let long = try await generate("--prompts", "long.jsonl")
    #expect(long.end == .exited(65) && long.output.isEmpty, "\(long)")
    #expect(long.errors.contains("prompt 2: has ") && long.errors.contains("but the model reads 32"), "\(long)")
  }

  @Test func `the exact optimum takes the entropy of the model's own TempNet, or a possible one that is given`()
    async throws
  {
    let own = try await lines(generate("--prompt", "the parson", "--policy", "exact", "--max-tokens", "4", "--json"))
    #expect(own.count == 1)
    let beyond = try await generate("--prompt", "the parson", "--policy", "exact:6")
    #expect(beyond.end == .exited(78) && beyond.errors.contains("--policy: entropy 6"), "\(beyond)")
  }

  @Test func `an interrupted AlpacaEval run prints its finished answers and leaves out the others`() async throws {
    let count = 50_000
    try folder.write(String(repeating: "\"the parson\"\n", count: count), to: "prompts.jsonl")
    let running = try Program.generate.start(
      arguments(["--prompts", "prompts.jsonl", "--max-tokens", "20", "--alpaca-eval"]), in: folder.path)
    try await waitUntilListening(running)
    // Time to load the model and for some answers, not for all.
    try await Task.sleep(for: .seconds(3))
    running.send(SIGTERM)
    let outcome = try await running.outcome()
    #expect(outcome.end == .exited(75) && outcome.errors.contains("interrupted"), "\(outcome.end) \(outcome.errors)")
    let answers = try #require(try JSON(parsing: outcome.output, source: "standard output").arrayValue)
    #expect(!answers.isEmpty && answers.count < count)
    let few = answers.prefix(3)
    try folder.write(String(repeating: "\"the parson\"\n", count: few.count), to: "prompts.jsonl")
    let whole = try await generate("--prompts", "prompts.jsonl", "--max-tokens", "20", "--alpaca-eval")
    #expect(try JSON(parsing: whole.output, source: "standard output").arrayValue == Array(few))
  }

  /// Waits until a program handles SIGTERM; before that, the signal would simply end it.
  private func waitUntilListening(_ running: RunningProgram) async throws {
    let wanted = UInt64(1) << UInt64(SIGTERM - 1)
    while true {
      try #require(running.isRunning)
      let status = try text("/proc/\(running.processIdentifier)/status").split(separator: "\n")
      let caught = status.first { $0.hasPrefix("SigCgt:") }?.split(separator: "\t").last ?? "0"
      if UInt64(caught, radix: 16).map({ $0 & wanted != 0 }) == true { return }
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}
