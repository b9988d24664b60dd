import Configuration
import Diagnostics
import Files
import StageDescriptions

/// A pipeline as its file describes it: the stages, their inputs and their configurations.
///
///     pipeline: austen                 # names its records in the store; without it the file's name does
///     stages:
///       tokens:                        # a stage's name in this pipeline
///         run: tokenize                # which stage it is
///         with: {corpus: [a.txt]}      # its configuration
///       model:
///         run: pretrain
///         from: {tokens: tokens}       # input: the stage that makes it, or a path with a slash in it
///         cores: 2                     # it computes with 2 threads, and occupies 2 of the machine's cores
///         memory: 4 GiB                # it occupies that much of the machine's memory
///         retries: 2                   # a crash or an input/output error is tried again this often
///         matrix: {seed: [1, 2]}       # made once for each combination: model@seed=1, model@seed=2
///
/// Paths in a pipeline are relative to the current directory, like those on a command line. A stage without `cores`
/// has the whole machine and chooses its threads itself; one without `memory` counts as needing none.
public struct PipelineSpecification: Sendable {
  /// Its name and its file, which identify it in a store.
  public let identity: PipelineIdentity
  /// The path of the file that it was read from, as it was given.
  public let source: String
  /// In the order of the file, except that each stage comes after those that it reads from.
  public let stages: [StageSpecification]

  /// - Parameters:
  ///   - overrides: `STAGE.KEY=VALUE` of the command line.
  ///   - known: the stages that exist.
  /// - Throws: `Failure(.badConfiguration)` with file and line.
  public init(
    file: String, overrides: [ConfigurationOverride] = [], known: [any StageDescription.Type] = Stages.all
  ) throws {
    try self.init(try YAMLSource.read(file: file), overrides: overrides, known: known)
  }

  public init(
    _ document: YAMLNode, overrides: [ConfigurationOverride] = [], known: [any StageDescription.Type] = Stages.all
  ) throws {
    var reader = try ConfigurationReader(
      try document.applying(
        overrides.map { override in
          guard override.path.count > 1 else {
            throw Failure(.usage, "expected STAGE.KEY=VALUE", at: "\(override.value.place)")
          }
          return Self.placed(override, in: document)
        }))
    source = document.place.source
    let name = try reader.value(
      "pipeline", as: .pipelineName, default: Self.stem(of: source), help: "the name of the pipeline")
    identity = PipelineIdentity(name: name, source: source)
    let written = document["stages"]?.mapping?.map(\.key) ?? []
    if let unknown = overrides.first(where: { !written.contains($0.path[0]) }) {
      let hint = nearest(to: unknown.path[0], in: written).map { "; did you mean '\($0)'?" } ?? ""
      throw Failure(
        .badConfiguration, "the pipeline has no stage '\(unknown.path[0])'\(hint)", at: "\(unknown.value.place)")
    }
    let stages = try reader.section("stages") { stages in
      try stages.givenKeys.map { name in
        try stages.section(name) { try StageSpecification(name: name, reading: &$0, known: known) }
      }
    }
    try reader.finish()
    guard !stages.isEmpty else { throw reader.failure("stages", "must name at least one stage") }
    try Self.checkLinks(stages)
    self.stages = try StageSpecification.expanded(try Self.sorted(stages))
  }

  public var name: String { identity.name }

  /// The names of the stages that a name stands for: one, or all combinations of a stage of the file.
  public func names(of name: String) -> [String] {
    stages.filter { $0.name == name || $0.family == name }.map(\.name)
  }

  /// The place of `STAGE.KEY=VALUE` in the document: under `with`; or under `matrix` if that has the key, where a value
  /// that is not a list becomes the only one.
  private static func placed(_ override: ConfigurationOverride, in document: YAMLNode) -> ConfigurationOverride {
    let (stage, value) = (override.path[0], override.value)
    let key = override.path.dropFirst().joined(separator: ".")
    guard document["stages"]?[stage]?["matrix"]?[key] != nil else {
      return ConfigurationOverride(["stages", stage, "with"] + override.path.dropFirst(), value)
    }
    let values = value.sequence == nil ? YAMLNode(.sequence([value]), at: value.place) : value
    return ConfigurationOverride(["stages", stage, "matrix", key], values)
  }

  /// `pipelines/austen.yaml` names the pipeline `austen`. Two files may give one name; the store tells them apart.
  private static func stem(of path: String) -> String {
    var stem = String.UnicodeScalarView()
    var length = 0
    for scalar in Files.name(of: path).unicodeScalars.prefix(while: { $0 != "." }) {
      length += UTF8.width(scalar)
      guard length <= String.longestPipelineName else { break }
      stem.append(scalar.isInPipelineNames ? scalar : "-")
    }
    return stem.isEmpty ? "pipeline" : String(stem)
  }

  private static func checkLinks(_ stages: [StageSpecification]) throws {
    for stage in stages {
      let counts = Dictionary(stage.inputs.map { ($0.name, $0.sources.count) }) { $0 + $1 }
      if let problem = stage.description.problem(withInputs: counts) {
        throw Failure(.badConfiguration, "\(stage.name): \(problem)", at: "\(stage.place)")
      }
      for link in stage.inputs {
        for case .stage(let source) in link.sources { try check(link, source, of: stage, in: stages) }
      }
    }
  }

  private static func check(
    _ link: StageLink, _ source: String, of stage: StageSpecification, in stages: [StageSpecification]
  ) throws {
    let family = MatrixChoice(source).family
    guard let maker = stages.first(where: { $0.name == family }) else {
      let hint = nearest(to: family, in: stages.map(\.name)).map { "; did you mean '\($0)'?" } ?? ""
      throw Failure(
        .badConfiguration, "\(stage.name) reads from the stage '\(source)', which does not exist\(hint)",
        at: "\(link.place)")
    }
    let (kinds, made) = (stage.description.input(link.name)?.kinds ?? [], maker.description.output)
    guard kinds.contains(made) else {
      throw Failure(
        .badConfiguration,
        "the input '\(link.name)' of \(stage.name) is of kind \(kinds.map(\.name).joined(separator: " or ")), but the stage "
          + "'\(source)' makes \(made.name)",
        at: "\(link.place)")
    }
  }

  /// Kahn's algorithm. Of the stages that are ready, the one that stands first in the file is next.
  private static func sorted(_ stages: [StageSpecification]) throws -> [StageSpecification] {
    var (sorted, remaining): ([StageSpecification], [StageSpecification]) = ([], stages)
    while !remaining.isEmpty {
      let names = Set(remaining.map(\.name))
      guard let index = remaining.firstIndex(where: { names.isDisjoint(with: $0.families) }) else {
        throw cycle(in: remaining)
      }
      sorted.append(remaining.remove(at: index))
    }
    return sorted
  }

  /// Names a cycle among stages that all wait for another of them.
  private static func cycle(in stages: [StageSpecification]) -> Failure {
    var path = [stages[0]]
    while true {
      let next = stages.first { path.last!.families.contains($0.name) }!
      if let start = path.firstIndex(where: { $0.name == next.name }) {
        let names = (path[start...] + [next]).map(\.name).joined(separator: " <- ")
        return Failure(.badConfiguration, "stages wait for each other: \(names)", at: "\(next.place)")
      }
      path.append(next)
    }
  }
}

extension StageDescription {
  static func input(_ name: String) -> StageInput? { inputs.first { $0.name == name } }
}
