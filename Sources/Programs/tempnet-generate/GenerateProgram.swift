import ArgumentParser
import Artifacts
import Diagnostics
import Files
import Generation
import Glibc
import LanguageModels
import ModelFiles
import ProgramSupport
import TempNet
import TemperatureSettings
import Tokenization
import Torch
import Training
import TrainingOptions

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

  @OptionGroup var compute: ComputeArguments

  @Flag(help: "Print nothing but the text.")
  var quiet = false

  static var engine: String? { TorchRuntime.description }

  func validate() throws {
    if greedy && policy != nil { throw ValidationError("--greedy takes no --policy: no temperature changes it") }
    if output.alpacaEval && sampling.samples > 1 {
      throw ValidationError("--alpaca-eval takes one answer to each instruction, not --samples \(sampling.samples)")
    }
  }

  mutating func run() throws {
    Log.setQuiet(quiet)
    let specification = try policySpecification()
    let texts = try prompts.read()
    let resolution = try Resolution(compute.options)
    if try !ModelSource(model).isPublished { try check(model, kind: .model) }
    let source = try PretrainedModel.open(model)
    let tokenizer = try Tokenizer(path: source.tokenizerPath)
    try tokenizer.checkLogits(source.configuration.vocabulary, ofModel: model)
    let stated = try source.statedGeneration()
    let ends = EndTokens(source, stating: stated, tokenizer)
    Log.note("texts end with \(ends.description(tokenizer))")
    warnOfUnapplied(stated)
    resolution.apply()
    let language = try source.load(device: resolution.device, computeType: resolution.computeType, isFrozen: true)
    let form: PromptForm =
      prompts.chat
      ? .chat(try ChatFormat(template: source.chatTemplate(), source: model), system: prompts.system)
      : .text(specials: prompts.specialTokens)
    let settings = GenerationSettings(
      policy: greedy ? nil : try temperaturePolicy(specification, language), rules: sampling.rules,
      seed: sampling.seed, maximumTokens: sampling.maxTokens,
      ends: try ends.ids.union(form.ends(tokenizer, source: model)))
    let read = try form.encode(texts, tokenizer, context: language.configuration.context, source: model)
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

  /// Other tools apply the sampling settings of a model's files; this program only names them.
  private func warnOfUnapplied(_ stated: StatedGeneration) {
    let settings = stated.settings.filter { !(greedy && $0.needsDrawing) }
    guard !settings.isEmpty else { return }
    let options = settings.compactMap(\.option)
    let remedy = options.isEmpty ? "" : "; to have it here: \(options.joined(separator: " "))"
    Log.warning(
      "\(stated.source) states \(settings.map(\.text).joined(separator: ", ")), which other tools apply and "
        + "tempnet-generate does not\(remedy)")
  }

  /// Continues prompts; false where an interruption was asked for before all were done.
  private func generate(_ prompts: [PromptForm.Encoded], _ generator: Generator, to sink: any Sink) throws -> Bool {
    for (number, read) in prompts.enumerated() {
      let prompt = generator.read(read.ids)
      for sample in 0..<sampling.samples {
        if Interruption.isRequested { return false }
        try sink.begin(read.prompt, prompt: number, sample: sample)
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

  /// Names the policy where results of one model are compared.
  private var policyName: String {
    if greedy { return "greedy" }
    return "policy \(policy ?? tempnet ?? (Files.exists(ownNetwork) ? "model" : "1"))"
  }

  /// Where the model's own TempNet is, if it has one.
  private var ownNetwork: String { "\(model)/\(TempNetFile.name)" }

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
    do {
      return try TemperaturePolicy.forGeneration(
        specification, given: given, own: { try Files.exists(ownNetwork) ? network(ownNetwork, language) : nil },
        vocabulary: language.configuration.vocabulary, network: { try network($0, language) })
    } catch let failure as Failure where failure.status == .badConfiguration {
      // A policy of the command line is an option, not a configuration.
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

struct ComputeArguments: ParsableArguments {
  @Option(parsing: .unconditional, help: ArgumentHelp("Threads; all processors without it.", valueName: "n"))
  var threads: Int?

  @Option(help: ArgumentHelp("cpu, cuda or auto.", valueName: "name"))
  var device = ComputeOptions.Device.auto.rawValue

  @Option(
    help: ArgumentHelp(
      "float32, bfloat16 or auto. bfloat16 keeps the large matrices in half the memory and so reads them in half the time.",
      valueName: "name"))
  var compute = ComputeOptions.ComputeType.float32.rawValue

  var options: ComputeOptions {
    get throws {
      guard let device = ComputeOptions.Device(rawValue: device) else {
        throw ValidationError("--device is cpu, cuda or auto")
      }
      guard let type = ComputeOptions.ComputeType(rawValue: compute) else {
        throw ValidationError("--compute is float32, bfloat16 or auto")
      }
      return ComputeOptions(device: device, computeType: type, threads: threads)
    }
  }

  func validate() throws {
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads is from 1 to 1024") }
    _ = try options
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

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Only tokens whose logit is at most n standard deviations below the largest; before all other cuts.",
      valueName: "n"))
  var topNSigma: Double?

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

  @Flag(help: "Only the tokens up to the equilibrium of their entropy and probability (EES).")
  var entropyEquilibrium = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Reshape the probabilities so that drawn tokens have this one on average (llama.cpp's adaptive-p). Unlike a "
        + "temperature it can change which token is the likeliest.", valueName: "p"))
  var adaptiveP: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How slowly the average of --adaptive-p forgets; 0 to 0.99.", valueName: "decay"))
  var adaptiveDecay = 0.9

  @Option(help: ArgumentHelp("temperature-first, as published, or temperature-last.", valueName: "name"))
  var order = SamplingRules.Order.temperatureFirst.rawValue

  func validate() throws {
    let lengths = 1...1 << 24
    if !lengths.contains(maxTokens) { throw ValidationError("--max-tokens is from 1 to \(lengths.upperBound)") }
    let most = Generator.mostSamples
    if !(1...most).contains(samples) { throw ValidationError("--samples is from 1 to \(most)") }
    if let topNSigma, !(topNSigma > 0) { throw ValidationError("--top-n-sigma must be above 0") }
    if let adaptiveP, !(0...1).contains(adaptiveP) { throw ValidationError("--adaptive-p must be from 0 to 1") }
    if !AdaptiveProbability.decays.contains(adaptiveDecay) {
      throw ValidationError("--adaptive-decay must be from 0 to 0.99")
    }
    if let topK, topK < 1 { throw ValidationError("--top-k must be 1 or more") }
    if !(topP > 0 && topP <= 1) { throw ValidationError("--top-p must be above 0, and 1 at most") }
    if !(minP >= 0 && minP <= 1) { throw ValidationError("--min-p must be from 0 to 1") }
    if SamplingRules.Order(rawValue: order) == nil {
      throw ValidationError("--order is temperature-first or temperature-last")
    }
  }

  var rules: SamplingRules {
    SamplingRules(
      topNSigma: topNSigma, topK: topK, topP: topP, minP: minP, hasEntropyEquilibrium: entropyEquilibrium,
      adaptive: adaptiveP.map { AdaptiveProbability(target: $0, decay: adaptiveDecay) },
      order: SamplingRules.Order(rawValue: order)!)
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
