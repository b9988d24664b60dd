import ArgumentParser
import Artifacts
import Diagnostics
import Generation
import Glibc
import LanguageModels
import ModelFiles
import Programs
import StageDescriptions
import TempNet
import Tokenization
import Torch
import Training

/// `tempnet-generate`: continues prompts with a model, each token at a temperature of its own.
@main struct GenerateProgram: Program {
  static let configuration = CommandConfiguration(
    commandName: "tempnet-generate", abstract: "Continues prompts with a language model and a temperature policy.",
    discussion: """
      A policy is \(PolicySpecification.expectation). Without one it is the TempNet of --tempnet, the model's own, or \
      temperature 1. Temperatures are divided by before top-k, top-p and min-p, as published; --order temperature-last \
      divides after them. What is drawn depends on the seed, the number of the sequence and its prompt alone.
      """,
    version: Release.version)

  @Option(help: ArgumentHelp("An artifact, a GGUF file, or a folder in Hugging Face's form.", valueName: "path"))
  var model: String

  @Option(help: ArgumentHelp("A TempNet for this model: its artifact or safetensors file.", valueName: "path"))
  var tempnet: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Where each token's temperature comes from.", valueName: "spec"))
  var policy: String?

  @Flag(help: "Take the likeliest token every time.")
  var greedy = false

  @OptionGroup var prompts: PromptOptions
  @OptionGroup var sampling: SamplingOptions
  @OptionGroup var output: OutputOptions

  @Option(parsing: .unconditional, help: ArgumentHelp("Threads; all processors without it.", valueName: "n"))
  var threads: Int?

  @Option(help: ArgumentHelp("cpu, cuda or auto.", valueName: "name"))
  var device = "auto"

  @Flag(help: "Print nothing but the text.")
  var quiet = false

  static var engine: String? { Torch.Machine.description }

  func validate() throws {
    if greedy && policy != nil { throw ValidationError("--greedy takes no --policy: no temperature changes it") }
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads is from 1 to 1024") }
    guard ["auto", "cpu", "cuda"].contains(device) else { throw ValidationError("--device is cpu, cuda or auto") }
  }

  mutating func run() throws {
    Log.setQuiet(quiet)
    let specification = try policySpecification()
    let texts = try prompts.read()
    let resolution = try Resolution(
      device: device == "auto" ? nil : device == "cuda" ? .cuda : .cpu, arithmetic: .float32, threads: threads)
    if try !ModelSource(model).isPublished { try check(model, kind: .model) }
    let source = try PretrainedModel.open(model)
    let tokenizer = try Tokenizer(path: source.tokenizerPath)
    resolution.apply()
    let language = try source.load(device: resolution.device, arithmetic: resolution.arithmetic)
    let chat = prompts.chat ? try ChatFormat(template: source.chatTemplate(), source: model) : nil
    let settings = GenerationSettings(
      policy: greedy ? nil : try temperaturePolicy(specification, language), rules: try sampling.rules(),
      seed: sampling.seed, maximumTokens: sampling.maxTokens,
      ends: try chat?.ends(tokenizer, source: model) ?? [tokenizer.endOfText])
    let generator = Generator(language, settings)
    let sink = try output.sink(tokenizer, modelName: Files.name(of: model))
    for (number, text) in texts.enumerated() {
      let ids =
        try chat?.prompt(system: prompts.system, user: text, tokenizer, source: model)
        ?? plainPrompt(text, tokenizer)
      guard ids.count < language.configuration.context else {
        throw Failure(
          .badData, "has \(ids.count) tokens, but the model reads \(language.configuration.context)",
          at: "prompt \(number + 1)")
      }
      let prompt = generator.read(ids)
      for sample in 0..<sampling.samples {
        try sink.begin(text, prompt: number, sample: sample)
        let reason = try generator.run(prompt, sequence: number * sampling.samples + sample) { token in
          try sink.add(token)
          return !Interruption.isRequested
        }
        try sink.end(reason)
        if Interruption.isRequested { throw Failure(.tryAgain, "interrupted") }
      }
    }
    try sink.close()
  }

  /// A prompt that has no words is the beginning of a text.
  private func plainPrompt(_ text: String, _ tokenizer: Tokenizer) -> [Int32] {
    let ids = tokenizer.encode(text, specials: prompts.specialTokens)
    let begin = tokenizer.addsBeginOfText ? tokenizer.beginOfText : nil
    if let begin, ids.first != begin { return [begin] + ids }
    return ids.isEmpty ? [tokenizer.beginOfText ?? tokenizer.endOfText] : ids
  }

  private func policySpecification() throws -> PolicySpecification? {
    guard let policy else { return nil }
    guard let specification = PolicySpecification(policy) else {
      throw Failure(.usage, "'\(policy)' is no policy: expected \(PolicySpecification.expectation)", at: "--policy")
    }
    return specification
  }

  private func temperaturePolicy(
    _ specification: PolicySpecification?, _ language: LanguageModel
  ) throws -> TemperaturePolicy {
    let given = try tempnet.map { try network($0, language) }
    guard let specification else {
      if let given { return .tempnet(given) }
      return try own(language).map { .tempnet($0) } ?? .fixed(1)
    }
    switch specification {
    case .fixed(let temperature): return .fixed(temperature)
    case .artifact(let path): return .tempnet(try network(path, language))
    case .entropyDynamic(let base, let theta): return .entropyDynamic(base: base, theta: theta)
    case .dynamicRange(let range, let exponent): return .dynamicRange(range, exponent: exponent)
    case .model:
      guard let network = try own(language) else {
        throw Failure(.missingInput, "has no TempNet of its own", at: model)
      }
      return .tempnet(network)
    case .exact(let entropy):
      let settings = given?.settings
      guard let entropy = entropy ?? settings?.entropy else {
        throw Failure(.usage, "exact needs an entropy, as in exact:4.5, or the TempNet whose it is", at: "--policy")
      }
      try checkFeasibility(ofEntropy: entropy, language)
      return .exact(entropy: entropy, bounds: settings?.bounds ?? 0.05...5)
    }
  }

  /// Here an entropy is no part of a configuration, but of the command line.
  private func checkFeasibility(ofEntropy entropy: Double, _ language: LanguageModel) throws {
    do {
      _ = try RobustLoss.rho(entropy: entropy, vocabulary: language.configuration.vocabulary)
    } catch let failure as Failure {
      throw Failure(.usage, failure.message, at: "--policy")
    }
  }

  private func own(_ language: LanguageModel) throws -> TemperatureNetwork? {
    let path = "\(model)/\(Evaluate.tempnetFile)"
    return Files.exists(path) ? try network(path, language) : nil
  }

  /// An artifact is compared with its digests, like the inputs of every stage.
  private func check(_ path: String, kind: ArtifactKind?) throws {
    guard Files.exists("\(path)/\(Manifest.fileName)") else { return }
    _ = try Artifact.open(path, kind: kind, check: .digests)
  }

  private func network(_ path: String, _ language: LanguageModel) throws -> TemperatureNetwork {
    let isFolder = try Files.status(path)?.isFolder == true
    if path != model { try check(path, kind: nil) }
    let file = isFolder ? try Evaluate.tempnetFile(in: path) : path
    let network = try TemperatureNetwork.load(file)
    let (settings, configuration) = (network.settings, language.configuration)
    guard settings.vocabulary == configuration.vocabulary, [nil, configuration.width].contains(settings.width) else {
      throw Failure(
        .badData,
        "is for \(settings.vocabulary) logits\(settings.width.map { " of width \($0)" } ?? ""), but the model has "
          + "\(configuration.vocabulary) of width \(configuration.width)", at: file)
    }
    return network.mapped { $0.to(language.device) }
  }
}

struct PromptOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The text to continue; --prompt=TEXT where it begins with a dash.", valueName: "text"))
  var prompt: String?

  @Option(help: ArgumentHelp("A file of JSON lines, each a string or an object with \"prompt\".", valueName: "file"))
  var prompts: String?

  @Flag(help: "The prompt is a message to a chat model, written in the format that its template asks for.")
  var chat = false

  @Option(help: ArgumentHelp("The system message, with --chat.", valueName: "text"))
  var system: String?

  @Flag(help: "What spells a special token in the prompt means it.")
  var specialTokens = false

  func validate() throws {
    if (prompt == nil) == (prompts == nil) { throw ValidationError("give one of --prompt and --prompts") }
    if system != nil && !chat { throw ValidationError("--system needs --chat") }
    if specialTokens && chat { throw ValidationError("--special-tokens does not go with --chat") }
  }

  func read() throws -> [String] {
    if let prompt { return [prompt] }
    let path = prompts!
    var texts: [String] = []
    for (index, line) in try Files.read(path).split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
      let json = try JSON(parsing: line, source: path, line: index + 1)
      guard let text = json.stringValue ?? json["prompt"]?.stringValue ?? json["instruction"]?.stringValue else {
        throw Failure(
          .badData, "expected a string, or an object with a \"prompt\" or an \"instruction\"",
          at: "\(path), line \(index + 1)")
      }
      texts.append(text)
    }
    guard !texts.isEmpty else { throw Failure(.badData, "holds no prompts", at: path) }
    return texts
  }
}

struct SamplingOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: ArgumentHelp("Tokens to generate, at most.", valueName: "n"))
  var maxTokens = 128

  @Option(parsing: .unconditional, help: ArgumentHelp("Continuations of each prompt.", valueName: "n"))
  var samples = 1

  @Option(parsing: .unconditional, help: ArgumentHelp("What the draws depend on.", valueName: "n"))
  var seed: UInt64 = 1

  @Option(parsing: .unconditional, help: ArgumentHelp("Only the k likeliest tokens.", valueName: "k"))
  var topK: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Only the likeliest tokens that together have this probability.", valueName: "p"))
  var topP = 1.0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Only tokens with this share of the likeliest one's probability.", valueName: "p"))
  var minP = 0.0

  @Option(help: ArgumentHelp("temperature-first, as published, or temperature-last.", valueName: "name"))
  var order = SamplingRules.Order.temperatureFirst.rawValue

  func validate() throws {
    let amounts = 1...1 << 24
    if !amounts.contains(maxTokens) { throw ValidationError("--max-tokens is from 1 to \(amounts.upperBound)") }
    if !amounts.contains(samples) { throw ValidationError("--samples is from 1 to \(amounts.upperBound)") }
    if let topK, topK < 1 { throw ValidationError("--top-k must be 1 or more") }
    if !(topP > 0 && topP <= 1) { throw ValidationError("--top-p must be above 0, and 1 at most") }
    if !(minP >= 0 && minP <= 1) { throw ValidationError("--min-p must be from 0 to 1") }
    if SamplingRules.Order(rawValue: order) == nil {
      throw ValidationError("--order is temperature-first or temperature-last")
    }
  }

  func rules() throws -> SamplingRules {
    SamplingRules(topK: topK, topP: topP, minP: minP, order: SamplingRules.Order(rawValue: order)!)
  }
}

struct OutputOptions: ParsableArguments {
  @Flag(help: "Print JSON lines with every token's temperature and log-probabilities.")
  var json = false

  @Flag(help: "Print what AlpacaEval reads: a JSON array of instruction, output and generator.")
  var alpacaEval = false

  @Flag(help: "Colour every token by its temperature, on a terminal.")
  var showTemperature = false

  func validate() throws {
    if [json, alpacaEval, showTemperature].filter({ $0 }).count > 1 {
      throw ValidationError("choose one of --json, --alpaca-eval and --show-temperature")
    }
  }

  func sink(_ tokenizer: Tokenizer, modelName: String) throws -> any Sink {
    if showTemperature && isatty(STDOUT_FILENO) == 0 {
      throw Failure(.usage, "standard output is no terminal; --json prints the temperatures", at: "--show-temperature")
    }
    if json { return JSONSink(tokenizer) }
    if alpacaEval { return AlpacaSink(tokenizer, generator: modelName) }
    return TextSink(tokenizer, coloured: showTemperature)
  }
}
