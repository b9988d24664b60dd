import ArgumentParser
import Artifacts
import Configuration
import Diagnostics
import StageDescriptions

/// The options that every stage program has; ArgumentParser adds `--version` and `--help`.
public struct CommonOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Read the configuration from FILE.", valueName: "file.yaml"))
  public var config: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Set one configuration key.", valueName: "key=value"))
  public var overrides: [String] = []

  @Option(help: ArgumentHelp("Write the artifact to DIR, which must not exist.", valueName: "dir"))
  public var output: String

  @Flag(help: "Say nothing unless something fails.")
  public var quiet = false

  /// Given by the runner, whose plan must still hold when the stage begins.
  @Option(help: .hidden)
  public var expectKey: String?

  public init() {}

  public func validate() throws {
    if output.isEmpty { throw ValidationError("--output needs the path of a folder") }
  }
}

/// The program of one stage, which has little more than its options. The file must not be named `main.swift`:
///
///     @main struct FitProgram: StageProgram {
///       typealias Description = Fit
///
///       @OptionGroup var common: CommonOptions
///       @Option(help: ArgumentHelp("The features to fit to.", valueName: "dir")) var features: String
///       @Option(parsing: .unconditional, help: ArgumentHelp("Optimiser steps.")) var steps: String?
///
///       var inputs: [String: [String]] { ["features": [features]] }
///       var settings: [ConfigurationOverride?] { [.number("steps", steps, from: "--steps")] }
///
///       func perform(_ request: StageRequest<Fit>) throws -> Artifact { try FitStage.run(request) }
///     }
///
/// An option with several values is `@Option(parsing: .upToNextOption) var corpus: [String] = []`; the runner passes
/// repeated inputs in this form. A program's own options override `--set`, and `--set` overrides the file.
///
/// A command line of a wrong form (an unknown or a missing option, `--set` without a key, options that exclude each
/// other) ends with 64. An option passes its value on as it was typed: a wrong value is a wrong configuration, which
/// ends with 78 and the same message wherever it was given. `.unconditional` lets such a value begin with a dash.
public protocol StageProgram: Program {
  associatedtype Description: StageDescription

  var common: CommonOptions { get }
  /// Paths of artifacts by the names that the description declares.
  var inputs: [String: [String]] { get }
  /// Options that set configuration keys; nil for those that were not given.
  var settings: [ConfigurationOverride?] { get throws }
  func perform(_ request: StageRequest<Description>) throws -> Artifact
}

extension StageProgram {
  public var settings: [ConfigurationOverride?] { [] }

  public static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: Description.program, abstract: Description.summary,
      discussion: "Configuration keys, for --set and the file of --config, where `a.b` is written `a: {b: ...}`:\n\n"
        + Description.Configuration.documentation.listing,
      version: Release.version)
  }

  public mutating func run() throws {
    Log.setQuiet(common.quiet)
    let given = try common.overrides.map(ConfigurationOverride.init(parsing:)) + settings.compactMap { $0 }
    let request = try StageRequest<Description>(
      try Description.Configuration.resolve(file: common.config, overrides: given), inputs: inputs,
      output: common.output, digests: .forProgram)
    guard [nil, request.key].contains(common.expectKey) else {
      throw Failure(.tryAgain, "an input changed after the pipeline was planned; run the pipeline again")
    }
    let artifact = try perform(request)
    if !common.quiet { print(artifact.path) }
  }
}
