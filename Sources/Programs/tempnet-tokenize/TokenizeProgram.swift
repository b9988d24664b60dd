import ArgumentParser
import Artifacts
import Configuration
import JSON
import ProgramSupport
import StageDescriptions
import TokenizeStage

@main struct TokenizeProgram: StageProgram {
  typealias Description = Tokenize

  @OptionGroup var common: CommonOptions

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Texts, folders, archives, JSON lines or descriptors.", valueName: "path"))
  var corpus: [String] = []

  @Option(
    help: ArgumentHelp(
      "Use this vocabulary: a tokenizer.json, a model, tiktoken's or GPT-2's files.", valueName: "path"))
  var tokenizer: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("Train a vocabulary of this size.", valueName: "n"))
  var vocabulary: String?

  var inputs: [String: [String]] { [:] }

  var settings: [ConfigurationOverride?] {
    [
      .option("corpus", corpus, from: "--corpus"),
      .option("tokenizer", tokenizer, from: "--tokenizer"),
      .number("vocabulary", vocabulary, from: "--vocabulary"),
    ]
  }

  func perform(_ request: StageRequest<Tokenize>) throws -> Artifact { try TokenizeStage.run(request) }
}
