import Configuration
import Tasks

/// The amount of text that is scored, and its context.
public struct ScoredText: Equatable, Sendable {
  /// Tokens that the model reads at once; nil for its whole context.
  public var window: Int?
  /// Tokens that each window after the first predicts; nil for `window`.
  public var stride: Int?
  /// The largest number of tokens of the validation split that are scored.
  public var validationTokens: Int
  /// Tokens per forward pass.
  public var batchTokens: Int

  init(_ reader: inout ConfigurationReader) throws {
    window = try reader.integerOrAuto(
      "window", in: 1...1 << 24, help: "tokens of a text read at once, not of tasks; auto is the model's context")
    stride = try reader.integerOrAuto(
      "stride", in: 1...1 << 24, help: "tokens that each window predicts; auto is the window, less costs more")
    validationTokens = try reader.integer(
      "validation_tokens", default: 65_536, in: 1...Int.max,
      help: "at most so many validation tokens choose the best single temperatures")
    batchTokens = try reader.integer("batch_tokens", default: 2048, in: 1...1 << 24, help: "tokens per forward pass")
    if let window, let stride, stride > window {
      throw reader.failure("stride", with: ["window"], "must not exceed window")
    }
  }
}

/// The tasks that are scored, and how.
public struct ScoredTasks: Equatable, Sendable {
  /// Whether contexts begin with the beginning-of-text id; `auto` follows the tokenizer's file.
  public enum Beginning: String, CaseIterable, Sendable {
    case auto, always, never
  }

  /// Task files and request files; see ``TaskFile``.
  public var paths: [String]
  /// The largest number of items of each task.
  public var limit: Int?
  public var beginning: Beginning
  /// Whether each score depends on the model alone, to the last bit, and not on the other requests.
  public var isReproducible: Bool

  init(_ reader: inout ConfigurationReader) throws {
    paths = try reader.paths("tasks", default: [], help: "task files (.yaml) and request files (requests.jsonl.gz)")
    // Without tasks their settings are not part of the identity.
    let hasTasks = !paths.isEmpty
    limit = try reader.optionalInteger(
      "task_limit", in: 1...Int.max, identity: hasTasks, help: "at most so many items of each task")
    beginning = try reader.value(
      "task_beginning", as: .choice(), default: .auto, identity: hasTasks,
      help: "whether contexts begin with the beginning-of-text id; auto as the tokenizer's file says")
    isReproducible = try reader.boolean(
      "reproducible", default: false, identity: hasTasks,
      help: "score every request of a task by itself, to the same bits whatever else is scored; slower")
  }

  /// The files whose digests identify the tasks.
  public var rawInputs: [RawInput] { get throws { try TaskFile.read(paths).flatMap(\.rawInputs) } }
}

extension TaskFile {
  /// The files whose digests identify the task, and with them its name.
  public var rawInputs: [RawInput] {
    [("task", statement), ("config", configuration), ("data", data)].compactMap { role, path in
      path.map { RawInput("tasks/\(name)/\(role)", path: $0) }
    }
  }
}
