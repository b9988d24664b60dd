import ArgumentParser
import Artifacts
import Diagnostics
import Files
import Generation
import Glibc
import JSON
import LanguageModels
import ModelFiles
import ProgramSupport
import StageDescriptions
import TempNet
import TemperatureSettings
import Tokenization
import Torch
import Training

/// `tempnet-generate`: continues prompts with a model, each token at a temperature of its own.
@main struct GenerateProgram: Program {
  static let configuration = CommandConfiguration(
    commandName: "tempnet-generate", abstract: "Continues prompts with a language model and a temperature policy.",
    discussion: """
      A policy is \(PolicySpecification.expectation). Without one it is the TempNet of --tempnet, the model's own, or \
      temperature 1; exact takes that TempNet's entropy and bounds. Temperatures are divided by before top-k, top-p \
      and min-p, as published; --order temperature-last divides after them, and dynamic-range then looks at what they \
      leave. What is drawn depends on the seed, the prompt, its number and that of the sample alone.
      A text ends with any token that the model's files call an end, or at --max-tokens.
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

  @Option(
    help: ArgumentHelp(
      "float32, bfloat16 or auto. bfloat16 keeps the large matrices in half the memory and so reads them in half the time.",
      valueName: "name"))
  var compute = "float32"

  @Flag(help: "Print nothing but the text.")
  var quiet = false

  static var engine: String? { Torch.Machine.description }

  func validate() throws {
    if greedy && policy != nil { throw ValidationError("--greedy takes no --policy: no temperature changes it") }
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads is from 1 to 1024") }
    guard ["auto", "cpu", "cuda"].contains(device) else { throw ValidationError("--device is cpu, cuda or auto") }
    guard ["auto", "float32", "bfloat16"].contains(compute) else {
      throw ValidationError("--compute is float32, bfloat16 or auto")
    }
    if output.alpacaEval && sampling.samples > 1 {
      throw ValidationError("--alpaca-eval takes one answer to each instruction, not --samples \(sampling.samples)")
    }
  }

  mutating func run() throws {
    Log.setQuiet(quiet)
    let specification = try policySpecification()
    let texts = try prompts.read()
    let resolution = try Resolution(
      device: device == "auto" ? nil : device == "cuda" ? .cuda : .cpu,
      arithmetic: compute == "auto" ? nil : compute == "float32" ? .float32 : .bfloat16, threads: threads)
    if try !ModelSource(model).isPublished { try check(model, kind: .model) }
    let source = try PretrainedModel.open(model)
    let tokenizer = try Tokenizer(path: source.tokenizerPath)
    try check(source, reads: tokenizer)
    let stated = try source.statedGeneration()
    let ends = EndTokens(source, stating: stated, tokenizer)
    Log.note("texts end with \(ends.description(tokenizer))")
    warnOfUnapplied(stated)
    resolution.apply()
    let language = try source.load(device: resolution.device, arithmetic: resolution.arithmetic, isFrozen: true)
    let chat = prompts.chat ? try ChatFormat(template: source.chatTemplate(), source: model) : nil
    let settings = GenerationSettings(
      policy: greedy ? nil : try temperaturePolicy(specification, language), rules: try sampling.rules(),
      seed: sampling.seed, maximumTokens: sampling.maxTokens,
      ends: try ends.ids.union(chat?.ends(tokenizer, source: model) ?? []))
    // One that is too long is refused before any is continued.
    var read: [Prompt] = []
    for (number, given) in texts.enumerated() {
      let ids =
        try chat?.prompt(system: prompts.system, user: given.text, tokenizer, source: model)
        ?? plainPrompt(given.text, tokenizer)
      guard ids.count < language.configuration.context else {
        throw Failure(
          .badData, "has \(ids.count) tokens, but the model reads \(language.configuration.context)",
          at: "prompt \(number + 1)")
      }
      read.append(Prompt(given: given, ids: ids))
    }
    let sink = output.sink(tokenizer, generator: "\(Files.name(of: model)), \(policyName)")
    let isDone: Bool
    do {
      isDone = try generate(read, Generator(language, settings), to: sink)
    } catch {
      // What is finished is not lost, and the first failure is the one to tell of.
      try? sink.close()
      throw error
    }
    try sink.close()
    guard isDone else { throw Failure(.tryAgain, "interrupted") }
  }

  /// An id without a row of the embedding would be read beyond its end.
  private func check(_ source: PretrainedModel, reads tokenizer: Tokenizer) throws {
    let logits = source.configuration.vocabulary
    guard logits >= tokenizer.vocabularySize else {
      throw Failure(
        .badData, "has \(logits) logits, too few for the \(tokenizer.vocabularySize) ids of its tokenizer", at: model)
    }
  }

  /// Other tools do by themselves what a model's files say of sampling.
  private func warnOfUnapplied(_ stated: StatedGeneration) {
    let settings = stated.settings.filter { !(greedy && $0.needsDrawing) }
    guard !settings.isEmpty else { return }
    let options = settings.compactMap(\.option)
    let remedy = options.isEmpty ? "" : "; to have it here: \(options.joined(separator: " "))"
    Log.warning(
      "\(stated.source) states \(settings.map(\.text).joined(separator: ", ")), which other tools apply and "
        + "tempnet-generate does not\(remedy)")
  }

  private struct Prompt {
    let given: PromptText
    let ids: [Int32]
  }

  /// Continues prompts; false where an interruption was asked for before all were done.
  private func generate(_ prompts: [Prompt], _ generator: Generator, to sink: any Sink) throws -> Bool {
    for (number, read) in prompts.enumerated() {
      let prompt = generator.read(read.ids)
      for sample in 0..<sampling.samples {
        if Interruption.isRequested { return false }
        try sink.begin(read.given, prompt: number, sample: sample)
        let sequence = Generator.sequence(prompt: number, sample: sample)
        let reason = try Failure.locating("prompt \(number + 1)") {
          try generator.run(prompt, sequence: sequence) { token in
            try sink.add(token)
            return !Interruption.isRequested
          }
        }
        try sink.end(reason)
        if reason == .interrupted { return false }
      }
    }
    return true
  }

  /// What tells the results of one model apart where they are compared.
  private var policyName: String {
    if greedy { return "greedy" }
    return "policy \(policy ?? tempnet ?? (Files.exists(ownNetwork) ? "model" : "1"))"
  }

  /// Where the model's own TempNet is, if it has one.
  private var ownNetwork: String { "\(model)/\(TempNetFile.name)" }

  /// A prompt that has no words is the beginning of a text.
  private func plainPrompt(_ text: String, _ tokenizer: Tokenizer) -> [Int32] {
    let ids = tokenizer.encode(text, specials: prompts.specialTokens)
    let begin = tokenizer.addsBeginOfText ? tokenizer.beginOfText : nil
    if let begin, ids.first != begin { return [begin] + ids }
    return ids.isEmpty ? [tokenizer.beginning] : ids
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
    let own = try specification.needsOwnNetwork && Files.exists(ownNetwork) ? network(ownNetwork, language) : nil
    let leading = given ?? own
    guard var specification else { return leading.map { .tempnet($0) } ?? .fixed(1) }
    if case .exact(entropy: nil) = specification { specification = .exact(entropy: leading?.settings.entropy) }
    do {
      let made = try TemperaturePolicy(
        specification, own: own, bounds: leading?.settings.bounds ?? TemperaturePolicy.widestBounds,
        vocabulary: language.configuration.vocabulary
      ) { try network($0, language) }
      guard let made else {
        throw Failure(.usage, "exact needs an entropy, as in exact:4.5, or a TempNet whose it is", at: "--policy")
      }
      return made
    } catch let failure as Failure where failure.status == .badConfiguration {
      // Here a policy is no part of a configuration, but of the command line.
      throw Failure(.usage, failure.message, at: "--policy")
    }
  }

  /// An artifact is compared with its digests, like the inputs of every stage.
  private func check(_ path: String, kind: ArtifactKind?) throws {
    guard Files.exists("\(path)/\(Manifest.fileName)") else { return }
    _ = try Artifact.open(path, kind: kind, check: .digests)
  }

  private func network(_ path: String, _ language: LanguageModel) throws -> TemperatureNetwork {
    let isFolder = try Files.status(path)?.isFolder == true
    if path != model { try check(path, kind: nil) }
    let file = isFolder ? try TempNetFile.find(in: path) : path
    let configuration = language.configuration
    return try TemperatureNetwork.load(
      file, vocabulary: configuration.vocabulary, width: configuration.width, device: language.device)
  }
}

extension PolicySpecification? {
  /// Whether a model's own TempNet has a say, so that one that is damaged stops nobody who does without.
  fileprivate var needsOwnNetwork: Bool {
    switch self {
    case nil, .model, .exact: true
    case .fixed, .entropyDynamic, .dynamicRange, .artifact: false
    }
  }
}

struct PromptOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The text to continue; --prompt=TEXT where it begins with a dash.", valueName: "text"))
  var prompt: String?

  @Option(
    help: ArgumentHelp(
      "A file of JSON lines, or with one JSON array: strings, or objects with \"prompt\" or \"instruction\"; an "
        + "\"input\" beside it follows after a blank line.",
      valueName: "file"))
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

  func read() throws -> [PromptText] {
    if let prompt { return [PromptText(instruction: prompt)] }
    return try PromptFile(path: prompts!).read()
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
    let lengths = 1...1 << 24
    if !lengths.contains(maxTokens) { throw ValidationError("--max-tokens is from 1 to \(lengths.upperBound)") }
    let most = Generator.mostSamples
    if !(1...most).contains(samples) { throw ValidationError("--samples is from 1 to \(most)") }
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

  @Flag(help: "Colour every token by its temperature; where standard output is no terminal, as --json.")
  var showTemperature = false

  func validate() throws {
    if [json, alpacaEval, showTemperature].filter({ $0 }).count > 1 {
      throw ValidationError("choose one of --json, --alpaca-eval and --show-temperature")
    }
  }

  /// - Parameter generator: how AlpacaEval is to call what generated the answers.
  func sink(_ tokenizer: Tokenizer, generator: String) -> any Sink {
    let isTerminal = isatty(STDOUT_FILENO) == 1
    if json || (showTemperature && !isTerminal) { return JSONSink(tokenizer) }
    if alpacaEval { return AlpacaSink(tokenizer, generator: generator) }
    return TextSink(tokenizer, coloured: showTemperature)
  }
}
