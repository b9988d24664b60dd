import Artifacts
import Configuration
import Diagnostics
import Files
import JSON

/// Everything about a stage that the runner needs before it runs, shared with the stage's program.
///
/// A description gives the stage's key, so that a whole pipeline is planned before anything runs; the call of its
/// program; and the program's `--help`. Nothing here links libtorch.
///
/// To add a stage, with `fit` as the example:
///
/// 1. `StageDescriptions/Fit.swift`: the configuration and the description; then add it to ``Stages/all``.
///
///        public struct FitConfiguration: StageConfiguration {
///          public var steps: Int
///          public var rho: Double?
///
///          public init(reading reader: inout ConfigurationReader) throws {
///            steps = try reader.integer("steps", default: 2000, in: 1...10_000_000, help: "optimiser steps")
///            rho = try reader.numberOrAuto("rho", in: .nonNegative, help: "robustness radius in nats")
///            threads = try reader.threads()                      // not part of the key
///            if … { throw reader.failure("rho", "must be below ln V = \(…)") }
///          }
///        }
///
///        public enum Fit: StageDescription {
///          public static let name = "fit"                        // run by `tempnet-fit`, `run: fit` in a pipeline
///          public static let summary = "Fits a temperature network to the features of a frozen model."
///          public static let version = 1                         // raise it when equal inputs give other results
///          public static let output = ArtifactKind.tempnet
///          public static let inputs = [StageInput("features", .features)]
///          public typealias Configuration = FitConfiguration
///        }
///
///    A stage that reads files which are not artifacts also lists them in ``rawInputs(_:)``: their digests, not their
///    paths, go into the key.
///
/// 2. `Stages/FitStage`: the work, as a function of a ``StageRequest``:
///
///        public enum FitStage {
///          public static func run(_ request: StageRequest<Fit>) throws -> Artifact {
///            let resolution: JSON = ["device": "cpu", "threads": …]   // the value of each setting that was `auto`
///            return try request.make(resolution) { builder in
///              let features = FeaturesArtifact(request.inputs.artifact("features"))
///              …
///              return summary
///            }
///          }
///        }
///
/// 3. `tempnet-fit/FitProgram.swift`: see `StageProgram` in `Programs`.
public protocol StageDescription: Sendable {
  associatedtype Configuration: StageConfiguration

  /// The name of the stage after `run:`. Its program is called `tempnet-` and this name.
  static var name: String { get }
  /// One sentence for `--help`.
  static var summary: String { get }
  /// To be raised when equal inputs give another result than before.
  static var version: Int { get }
  static var output: ArtifactKind { get }
  /// The artifacts that the stage reads, in the order in which they enter the key.
  static var inputs: [StageInput] { get }
  /// The files that the stage reads and that are not artifacts. Their content, not their path, identifies the result.
  ///
  /// Called while planning. It may look at folders and small files, such as a descriptor, but must not do work. For a
  /// missing file it throws a failure of status `missingInput` that says how to get the file.
  static func rawInputs(_ configuration: Configuration) throws -> [RawInput]
  /// The reason why a stage of this configuration cannot take artifacts for these of its inputs; nil if it can.
  static func problem(_ configuration: Configuration, withInputs given: Set<String>) -> String?
  /// The settings that make no difference to a result of artifacts for these inputs. They are left out of its key.
  static func unusedSettings(withInputs given: Set<String>) -> [String]
  /// The reason why the result cannot lie at this place; nil if it can.
  static func problem(_ configuration: Configuration, withOutput path: String) throws -> String?
  /// An upper bound of the result's vocabulary, if one is known before anything runs; otherwise nil.
  ///
  /// - Parameter inputs: the same bound of each given input.
  static func vocabulary(_ configuration: Configuration, inputs: [String: Int?]) -> Int?
  /// Refuses a configuration that no vocabulary of at most this size can meet.
  ///
  /// - Throws: `Failure(.badConfiguration)` at the key.
  static func check(_ configuration: Configuration, vocabulary: Int) throws
  /// About how much memory the stage takes, for the plan; nil where that is not known.
  ///
  /// - Parameter inputs: by the name of the input.
  static func memory(_ configuration: Configuration, inputs: [String: [PlannedInput]]) -> MemoryEstimate?
}

extension StageDescription {
  public static var program: String { "tempnet-\(name)" }

  public static func rawInputs(_ configuration: Configuration) throws -> [RawInput] { [] }

  public static func problem(_ configuration: Configuration, withInputs given: Set<String>) -> String? { nil }

  public static func unusedSettings(withInputs given: Set<String>) -> [String] { [] }

  public static func problem(_ configuration: Configuration, withOutput path: String) throws -> String? { nil }

  /// Refuses a result inside a folder that the stage reads as a whole.
  ///
  /// - Parameter content: the content of these folders, for the message: `texts`.
  static func problem(withOutput path: String, inFolders folders: [String], of content: String) throws -> String? {
    let place = "\(try Files.resolved(Files.folder(of: path)))/\(Files.name(of: path))"
    for folder in folders where try Files.status(folder)?.isFolder == true {
      let root = try Files.resolved(folder)
      let beginning = root == "/" ? root : "\(root)/"
      guard place.utf8.starts(with: beginning.utf8) else { continue }
      if VisibleFiles.include(String(decoding: place.utf8.dropFirst(beginning.utf8.count), as: UTF8.self)) {
        return "the result would lie in the folder of \(content) '\(folder)' and be read as one; choose another place"
      }
    }
    return nil
  }

  /// A model may have more logits than there are tokens, so the size of a given model decides.
  public static func vocabulary(_ configuration: Configuration, inputs: [String: Int?]) -> Int? {
    for name in ["model", "features", "tokens"] {
      if let given = inputs[name] { return given }
    }
    return nil
  }

  public static func check(_ configuration: Configuration, vocabulary: Int) throws {}

  public static func memory(_ configuration: Configuration, inputs: [String: [PlannedInput]]) -> MemoryEstimate? { nil }

  /// The arguments with which the runner calls the program.
  ///
  /// - Parameters:
  ///   - inputs: paths of artifacts by the name of the input.
  ///   - key: the key that the program has to arrive at as well.
  public static func arguments(
    inputs: [String: [String]], configurationFile: String, output: String, key: String
  ) -> [String] {
    self.inputs.flatMap { input in
      let paths = inputs[input.name, default: []]
      return paths.isEmpty ? [] : [input.option] + paths
    } + ["--config", configurationFile, "--output", output, "--expect-key", key]
  }

  /// The identity of a result of this stage.
  ///
  /// - Parameters:
  ///   - configuration: canonical.
  ///   - inputs: of the artifacts in declared order, then of the raw files.
  ///   - resolution: the values that stand for `auto`; they are not part of the key.
  public static func identity(
    configuration: JSON, inputs: [InputReference], resolution: JSON = [:]
  ) -> StageIdentity {
    var used = configuration
    for key in unusedSettings(withInputs: Set(inputs.map(\.name))) { used[key] = nil }
    return StageIdentity(
      program: program, stage: name, stageVersion: version, kind: output, configuration: used, inputs: inputs,
      resolution: resolution)
  }

  /// The reason why a stage cannot take these numbers of artifacts for its inputs; nil if it can.
  public static func problem(withInputs counts: [String: Int]) -> String? {
    for input in inputs {
      switch counts[input.name, default: 0] {
      case 0 where input.isRequired: return "the stage \(name) needs the input '\(input.name)'"
      case 2... where !input.isRepeated: return "the stage \(name) takes one '\(input.name)', not several"
      default: continue
      }
    }
    let known = inputs.map(\.name)
    guard let unknown = counts.keys.filter({ !known.contains($0) }).min() else { return nil }
    let hint =
      nearest(to: unknown, in: known).map { "; did you mean '\($0)'?" }
      ?? (known.isEmpty ? "; it has none" : "; it has \(known.joined(separator: ", "))")
    return "the stage \(name) has no input '\(unknown)'\(hint)"
  }
}

/// An artifact that a stage reads.
public struct StageInput: Sendable {
  /// Its name in a pipeline's `from:`, in the manifest, and as an option of the program.
  public let name: String
  public let kind: ArtifactKind
  /// Further kinds of artifacts that the input takes.
  public let otherKinds: [ArtifactKind]
  public let isRequired: Bool
  public let isRepeated: Bool
  /// Whether the input also takes a model from elsewhere: a GGUF file, or a folder in Hugging Face's form.
  public let takesPublishedModels: Bool
  /// Whether the stage needs the tokenizer of a model from elsewhere.
  public let readsTokenizer: Bool

  public init(
    _ name: String, _ kind: ArtifactKind, or otherKinds: [ArtifactKind] = [], isRequired: Bool = true,
    isRepeated: Bool = false,
    takesPublishedModels: Bool = false, readsTokenizer: Bool = false
  ) {
    self.name = name
    self.kind = kind
    self.otherKinds = otherKinds
    self.isRequired = isRequired
    self.isRepeated = isRepeated
    self.takesPublishedModels = takesPublishedModels
    self.readsTokenizer = readsTokenizer
  }

  public var option: String { "--\(name)" }

  /// The kinds of artifacts that it takes.
  public var kinds: [ArtifactKind] { [kind] + otherKinds }
}

/// A file that a stage reads and that is not an artifact, or a folder's files as one.
public struct RawInput: Equatable, Sendable {
  /// The role of the file in the stage, independent of its path: `corpus/0/emma.txt`. It enters the key with the
  /// digest.
  public let name: String
  public let path: String
  /// Paths of files relative to the folder `path`; nil if `path` is the file.
  public let files: [String]?

  public init(_ name: String, path: String) { (self.name, self.path, files) = (name, path, nil) }

  /// - Parameter files: relative to the folder; they may be missing.
  public init(_ name: String, folder: String, files: [String]) { (self.name, path, self.files) = (name, folder, files) }
}

/// The stages that exist.
public enum Stages {
  public static let all: [any StageDescription.Type] = [
    Tokenize.self, Pretrain.self, Features.self, Fit.self, Import.self, Score.self, Evaluate.self, Export.self,
    MakePairs.self, Convert.self, Embed.self, Contrast.self, Retrieve.self,
  ]

  public static func named(_ name: String) -> (any StageDescription.Type)? { all.first { $0.name == name } }
}
