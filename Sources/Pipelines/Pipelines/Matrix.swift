import Configuration
import Diagnostics
import StageDescriptions

/// The values of a stage's settings, to be combined in every way:
///
///     tempnet:
///       run: fit
///       from: {features: features}
///       matrix: {rho: [6, 8], seed: [1, 2]}      # tempnet@rho=6,seed=1 ... tempnet@rho=8,seed=2
///
/// A stage that takes one result of such a stage is made once for each combination; a stage that takes several reads
/// them all. `tempnet@rho=6` instead of `tempnet` reads only the results with that value. `--set 'tempnet.rho=[7, 9]'`
/// replaces the values of the file, `--set tempnet.rho=7` by a single one.
struct Matrix: Sendable {
  /// A setting with its stage, since two stages may both have a `seed`.
  struct Setting: Hashable {
    let stage: String
    let key: String
  }

  /// A value for each of several settings, in the order of the file.
  struct Combination: Equatable {
    var values: [(setting: Setting, value: YAMLNode)] = []

    /// The suffix of a stage's name: `@rho=6,seed=1`, or nothing.
    var suffix: String {
      values.isEmpty ? "" : "@" + values.map { "\($0.setting.key)=\(Self.text($0.value))" }.joined(separator: ",")
    }

    fileprivate static func text(_ value: YAMLNode) -> String { value.scalar?.text ?? "" }

    /// The values of both; nil where they disagree on a setting.
    func joined(with other: Combination) -> Combination? {
      var joined = self
      for (setting, value) in other.values {
        if let own = values.first(where: { $0.setting == setting })?.value {
          guard Self.text(own) == Self.text(value) else { return nil }
        } else {
          joined.values.append((setting, value))
        }
      }
      return joined
    }

    static func == (a: Combination, b: Combination) -> Bool {
      a.values.count == b.values.count && a.joined(with: b)?.values.count == a.values.count
    }
  }

  private static let mostCombinations = 1000
  /// Names of stages become names of files, which may have 255 bytes with all suffixes.
  fileprivate static let longestName = 200

  private let settings: [(key: String, values: [YAMLNode])]

  /// - Throws: `Failure(.badConfiguration)` where the node is not a mapping from keys to lists of short plain values.
  init(_ node: YAMLNode) throws {
    guard let entries = node.mapping, !entries.isEmpty else {
      throw Failure(
        .badConfiguration, "matrix must be a mapping from settings to lists of values, not \(node.abridged)",
        at: "\(node.place)")
    }
    settings = try entries.map { entry in
      guard entry.key.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ !$0.isEmpty }) else {
        throw Failure(.badConfiguration, "'\(entry.key)' is not the name of a setting", at: "\(entry.value.place)")
      }
      guard let values = entry.value.sequence, !values.isEmpty else {
        throw Failure(
          .badConfiguration, "\(entry.key) needs a list of values, not \(entry.value.abridged)",
          at: "\(entry.value.place)")
      }
      var texts: Set<String> = []
      for value in values {
        guard let text = value.scalar?.text, text.isNamePart else {
          throw Failure(
            .badConfiguration,
            "\(value.abridged) cannot be part of a stage's name: use a word or number of letters, digits, . - and _",
            at: "\(value.place)")
        }
        guard texts.insert(text).inserted else {
          throw Failure(.badConfiguration, "\(entry.key) has the value \(text) twice", at: "\(value.place)")
        }
      }
      return (entry.key, values)
    }
    let count = settings.reduce(1) { min($0 * $1.values.count, Self.mostCombinations + 1) }
    guard count <= Self.mostCombinations else {
      throw Failure(.badConfiguration, "more than \(Self.mostCombinations) combinations", at: "\(node.place)")
    }
  }

  /// Every combination of the matrix of a stage, the last setting changing fastest.
  func combinations(of stage: String) -> [Combination] {
    settings.reduce([Combination()]) { combinations, setting in
      combinations.flatMap { combination in
        setting.values.map { value in
          Combination(values: combination.values + [(Setting(stage: stage, key: setting.key), value)])
        }
      }
    }
  }

  var keys: [String] { settings.map(\.key) }
}

/// The name of a stage that another one reads from: `joint`, or `joint@loss=clip,seed=1` for some of its combinations.
struct MatrixChoice {
  let family: String
  private let values: [(key: String, text: String)]

  init(_ name: String) {
    let parts = name.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    family = String(parts[0])
    values = parts.dropFirst().flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }.map { value in
      let pair = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      return (pair[0], pair.count > 1 ? pair[1] : "")
    }
  }

  /// Whether a combination has all the named values.
  func takes(_ combination: Matrix.Combination) -> Bool {
    values.allSatisfy { value in
      combination.values.contains { $0.setting.key == value.key && Matrix.Combination.text($0.value) == value.text }
    }
  }
}

extension StageSpecification {
  /// The stages of a file, each after those that it reads from, and each combination of a matrix as a stage of its own.
  static func expanded(_ stages: [StageSpecification]) throws -> [StageSpecification] {
    var members: [String: [(combination: Matrix.Combination, stage: StageSpecification)]] = [:]
    var expanded: [StageSpecification] = []
    for stage in stages {
      let own = stage.matrix?.combinations(of: stage.name) ?? [Matrix.Combination()]
      let combinations = try stage.inherited(from: members).flatMap { inherited in
        own.compactMap { inherited.joined(with: $0) }
      }
      members[stage.name] = try combinations.map { ($0, try stage.member($0, reading: members)) }
      expanded += members[stage.name]!.map(\.stage)
    }
    return expanded
  }

  private typealias Members = [String: [(combination: Matrix.Combination, stage: StageSpecification)]]

  /// The combinations of those inputs of which the stage reads one result.
  private func inherited(
    from members: Members
  ) throws -> [Matrix.Combination] {
    let single = inputs.filter { description.input($0.name)?.isRepeated == false }
    return try single.reduce([Matrix.Combination()]) { combinations, link in
      try link.sources.reduce(combinations) { combinations, source in
        guard case .stage(let name) = source, let family = try Self.chosen(name, of: members, at: link.place) else {
          return combinations
        }
        return combinations.flatMap { combination in family.compactMap { combination.joined(with: $0.combination) } }
      }
    }
  }

  /// The members that a name stands for; nil for a name that no stage of the file has.
  private static func chosen(
    _ name: String, of members: Members, at place: Place
  ) throws -> [(combination: Matrix.Combination, stage: StageSpecification)]? {
    let choice = MatrixChoice(name)
    guard let family = members[choice.family] else { return nil }
    let chosen = family.filter { choice.takes($0.combination) }
    guard !chosen.isEmpty else {
      let names = family.map(\.stage.name)
      throw Failure(
        .badConfiguration,
        "'\(name)' is not a combination of the stage '\(choice.family)', which is made as "
          + "\(names.prefix(10).joined(separator: ", "))\(names.count > 10 ? " and others" : "")", at: "\(place)")
    }
    return chosen
  }

  /// The stage for one combination. It reads the results whose values agree with it.
  private func member(
    _ combination: Matrix.Combination,
    reading members: [String: [(combination: Matrix.Combination, stage: StageSpecification)]]
  ) throws -> StageSpecification {
    var member = self
    member.name = name + combination.suffix
    guard member.name.utf8.count <= Matrix.longestName else {
      throw Failure(.badConfiguration, "the name '\(member.name)' is too long; use fewer settings", at: "\(place)")
    }
    member.inputs = try inputs.map { link in
      StageLink(
        name: link.name,
        sources: try link.sources.flatMap { source -> [StageLink.Source] in
          guard case .stage(let name) = source, let family = try Self.chosen(name, of: members, at: link.place) else {
            return [source]
          }
          return family.filter { $0.combination.joined(with: combination) != nil }.map { .stage($0.stage.name) }
        }, place: link.place)
    }
    let own = combination.values.filter { $0.setting.stage == name }
    member.configuration = try configuration.applying(
      own.map { ConfigurationOverride($0.setting.key.split(separator: ".").map(String.init), $0.value) })
    return member
  }
}

extension String {
  fileprivate var isNamePart: Bool {
    !isEmpty && utf8.count <= 40
      && unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_.+".unicodeScalars.contains($0))
      }
  }
}
