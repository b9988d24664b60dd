import ArgumentParser
import Artifacts
import Configuration
import Diagnostics
import Files
import Generation
import LanguageModels
import ModelFiles
import ProgramSupport
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
    parsing: .unconditional, help: ArgumentHelp("The source of each token's temperature.", valueName: "spec"))
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
  }

  mutating func run() throws {
    Log.setQuiet(quiet)
    let given = try GenerateSettings(
      [.option("policy", policy, from: "--policy")] + sampling.settings + compute.settings)
    if output.alpacaEval && given.samples > 1 {
      throw Failure(.usage, "--alpaca-eval takes one answer to each instruction, not --samples \(given.samples)")
    }
    let texts = try prompts.read()
    let resolution = try Resolution(given.compute)
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
      policy: greedy ? nil : try temperaturePolicy(given.policy, language), lineStart: given.lineStart(tokenizer),
      rules: given.rules, seed: UInt64(given.seed), maximumTokens: given.maxTokens,
      ends: try ends.ids.union(form.ends(tokenizer, source: model)))
    let read = try form.encode(texts, tokenizer, context: language.configuration.context, source: model)
    let sink = output.sink(tokenizer, generator: "\(Files.name(of: model)), \(policyName)")
    let isDone: Bool
    do {
      isDone = try generate(read, samples: given.samples, Generator(language, settings), to: sink)
    } catch {
      // Finished texts are kept, and the first failure is reported.
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

  /// Continues prompts; false if an interruption was asked for before the end.
  private func generate(
    _ prompts: [PromptForm.Encoded], samples: Int, _ generator: Generator, to sink: any Sink
  ) throws -> Bool {
    for (number, read) in prompts.enumerated() {
      let prompt = generator.read(read.ids)
      for sample in 0..<samples {
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

  /// The name of the policy, which tells results of one model apart.
  private var policyName: String {
    if greedy { return "greedy" }
    return "policy \(policy ?? tempnet ?? (Files.exists(ownNetwork) ? "model" : "1"))"
  }

  /// The path of the model's own TempNet, if it has one.
  private var ownNetwork: String { "\(model)/\(TempNetFile.name)" }

  private func temperaturePolicy(
    _ specification: PolicySpecification?, _ language: LanguageModel
  ) throws -> TemperaturePolicy {
    let given = try tempnet.map { try network($0, language) }
    do {
      return try TemperaturePolicy.forGeneration(
        specification, given: given, own: { try Files.exists(ownNetwork) ? network(ownNetwork, language) : nil },
        vocabulary: language.configuration.vocabulary, network: { try network($0, language) })
    } catch let failure as Failure where failure.status == .badConfiguration {
      throw Failure(.badConfiguration, failure.message, at: "--policy")
    }
  }

  /// An artifact's digests are checked, as for the inputs of every stage.
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
