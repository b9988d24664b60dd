import ArgumentParser
import Configuration
import Generation
import Glibc
import Tokenization
import TrainingOptions

struct ComputeArguments: ParsableArguments {
  @Option(parsing: .unconditional, help: ArgumentHelp("Threads; all processors without it.", valueName: "n"))
  var threads: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("cpu, cuda or auto.", valueName: "name"))
  var device = ComputeOptions.Device.auto.rawValue

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "float32, bfloat16 or auto. bfloat16 keeps the large matrices in half the memory and so reads them in half the time.",
      valueName: "name"))
  var compute = ComputeOptions.ComputeType.float32.rawValue

  var settings: [ConfigurationOverride?] {
    [
      .number("threads", threads, from: "--threads"), .option("device", device, from: "--device"),
      .option("compute", compute, from: "--compute"),
    ]
  }
}

struct PromptOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The text to continue; --prompt=TEXT if it begins with a dash.", valueName: "text"))
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

  @Flag(help: "Read the names of special tokens in the prompt as these tokens.")
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
  var maxTokens = "128"

  @Option(parsing: .unconditional, help: ArgumentHelp("Continuations of each prompt.", valueName: "n"))
  var samples = "1"

  @Option(parsing: .unconditional, help: ArgumentHelp("The seed of the draws.", valueName: "n"))
  var seed = "1"

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Only tokens whose logit is at most n standard deviations below the largest; before all other cuts.",
      valueName: "n"))
  var topNSigma: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("Only the k likeliest tokens.", valueName: "k"))
  var topK: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Only the likeliest tokens that together have this probability.", valueName: "p"))
  var topP = "1.0"

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Only tokens with this share of the likeliest one's probability.", valueName: "p"))
  var minP = "0.0"

  @Flag(help: "Only the tokens up to the equilibrium of their entropy and probability (EES).")
  var entropyEquilibrium = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Reshape the probabilities so that drawn tokens have this one on average (llama.cpp's adaptive-p). Unlike a "
        + "temperature it can change which token is the likeliest.", valueName: "p"))
  var adaptiveP: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How slowly the average of --adaptive-p forgets; 0 to 0.99.", valueName: "decay"))
  var adaptiveDecay = "0.9"

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("temperature-first, as published, or temperature-last.", valueName: "name"))
  var order = SamplingRules.Order.temperatureFirst.rawValue

  var settings: [ConfigurationOverride?] {
    [
      .number("max_tokens", maxTokens, from: "--max-tokens"), .number("samples", samples, from: "--samples"),
      .number("seed", seed, from: "--seed"), .number("top_n_sigma", topNSigma, from: "--top-n-sigma"),
      .number("top_k", topK, from: "--top-k"), .number("top_p", topP, from: "--top-p"),
      .number("min_p", minP, from: "--min-p"), .number("adaptive_p", adaptiveP, from: "--adaptive-p"),
      .number("adaptive_decay", adaptiveDecay, from: "--adaptive-decay"), .option("order", order, from: "--order"),
      .option("entropy_equilibrium", entropyEquilibrium, from: "--entropy-equilibrium"),
    ]
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

  /// - Parameter generator: the name of the generator for AlpacaEval.
  func sink(_ tokenizer: Tokenizer, generator: String) -> any Sink {
    let isTerminal = isatty(STDOUT_FILENO) == 1
    if json || (showTemperature && !isTerminal) { return JSONSink(tokenizer) }
    if alpacaEval { return AlpacaSink(tokenizer, generator: generator) }
    return TextSink(tokenizer, coloured: showTemperature)
  }
}
