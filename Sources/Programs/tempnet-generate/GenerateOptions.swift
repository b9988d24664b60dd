import ArgumentParser
import Generation
import Glibc
import Tokenization
import TrainingOptions

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
