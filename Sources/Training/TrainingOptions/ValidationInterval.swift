import Configuration
import JSON

/// How often a run is validated.
public enum ValidationInterval: Equatable, Sendable {
  /// Steps from one validation to the next.
  case steps(Int)
  /// The number of parts of the run, with a validation after each.
  case partOfRun(Int)

  /// The steps between validations in a run of `steps`.
  public func steps(of steps: Int) -> Int {
    switch self {
    case .steps(let interval): interval
    case .partOfRun(let parts): max(1, steps / parts)
    }
  }

  private static let prefix = "run/"
  private static let longest = 1 << 40

  fileprivate init?(_ scalar: YAMLScalar) {
    if let steps = scalar.integer {
      guard (1...Self.longest).contains(steps) else { return nil }
      self = .steps(steps)
    } else if scalar.text.hasPrefix(Self.prefix) {
      guard let parts = Int(scalar.text.dropFirst(Self.prefix.count)), (1...100_000).contains(parts) else { return nil }
      self = .partOfRun(parts)
    } else {
      return nil
    }
  }

  fileprivate var json: JSON {
    switch self {
    case .steps(let steps): .integer(steps)
    case .partOfRun(let parts): .string("\(Self.prefix)\(parts)")
    }
  }
}

extension ConfigurationType<ValidationInterval> {
  fileprivate static var validationInterval: Self {
    Self(
      "a whole number of steps of at least 1, or a part of the run such as run/10", specimen: .steps(1),
      decode: { $0.scalar.flatMap(ValidationInterval.init) }, encode: { $0.json })
  }
}

extension ConfigurationReader {
  public mutating func validationInterval(default interval: ValidationInterval) throws -> ValidationInterval {
    try value("validation_interval", as: .validationInterval, default: interval, help: "steps between validations")
  }

  public mutating func resultChoice() throws -> ResultChoice {
    try choice(
      "select", default: .best, help: "the step whose parameters become the result: the best validated one, or the last"
    )
  }
}

extension FormerSpelling {
  /// `validations: 10` for `validation_interval: run/10`.
  public static let validations = FormerSpelling(
    "validations", of: "validation_interval", decode: { $0.integer.map { "run/\($0)" } },
    encode: { interval in
      guard let text = interval.stringValue, let parts = Int(text.dropFirst("run/".count)) else { return nil }
      return .integer(parts)
    })

  /// `keep_best: false` for `select: last`.
  public static let keepBest = FormerSpelling(
    "keep_best", of: "select", decode: { $0.boolean.map { ($0 ? ResultChoice.best : .last).rawValue } },
    encode: { .bool($0.stringValue == ResultChoice.best.rawValue) })
}
