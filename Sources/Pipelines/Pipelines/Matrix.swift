import Configuration
import Diagnostics
import StageDescriptions

/// Values of a stage's settings of which every combination is wanted:
///
///     tempnet:
///       run: fit
///       from: {features: features}
///       matrix: {rho: [6, 8], seed: [1, 2]}      # tempnet@rho=6,seed=1 ... tempnet@rho=8,seed=2
///
/// A stage that reads one result of such a stage is made once for each of them; one that takes several reads them all.
/// `tempnet@rho=6` in place of `tempnet` reads only the results with that value. `--set 'tempnet.rho=[7, 9]'` puts other values in the place of the file's, `--set tempnet.rho=7` a single one.
struct Matrix: Sendable {
  /// A setting of a stage of the file: two stages may both have a `seed`.
  struct Axis: Hashable {
    let stage: String
    let key: String
  }

  /// One value for each of some axes, in the order of the file.
  struct Combination: Equatable {
    var values: [(axis: Axis, value: YAMLNode)] = []

    /// What is added to a stage's name: `@rho=6,seed=1`, or nothing.
    var suffix: String {
      values.isEmpty ? "" : "@" + values.map { "\($0.axis.key)=\(Self.text($0.value))" }.joined(separator: ",")
    }

    fileprivate static func text(_ value: YAMLNode) -> String { value.scalar?.text ?? "" }

    /// The values of both; nil where they differ on an axis that both have.
    func joined(with other: Combination) -> Combination? {
      var joined = self
      for (axis, value) in other.values {
        if let own = values.first(where: { $0.axis == axis })?.value {
          guard Self.text(own) == Self.text(value) else { return nil }
        } else {
          joined.values.append((axis, value))
        }
      }
      return joined
    }

    static func == (a: Combination, b: Combination) -> Bool {
      a.values.count == b.values.count && a.joined(with: b)?.values.count == a.values.count
    }
  }

  private static let mostCombinations = 1000
  /// Names of stages become names of files, which end at 255 bytes with what is added to them.
  fileprivate static let longestName = 200

  private let axes: [(key: String, values: [YAMLNode])]

  /// - Throws: `Failure(.badConfiguration)` where the node is not a mapping from keys to lists of short plain values.
  init(_ node: YAMLNode) throws {
    guard let entries = node.mapping, !entries.isEmpty else {
      throw Failure(
        .badConfiguration, "matrix must be a mapping from settings to lists of values, not \(node.abridged)",
        at: "\(node.place)")
    }
    axes = try entries.map { entry in
      guard entry.key.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ !$0.isEmpty }) else {
        throw Failure(.badConfiguration, "'\(entry.key)' names no setting", at: "\(entry.value.place)")
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
    let count = axes.reduce(1) { min($0 * $1.values.count, Self.mostCombinations + 1) }
    guard count <= Self.mostCombinations else {
      throw Failure(.badConfiguration, "more than \(Self.mostCombinations) combinations", at: "\(node.place)")
    }
  }

  /// Every combination of the matrix of a stage, the last axis changing fastest.
  func combinations(of stage: String) -> [Combination] {
    axes.reduce([Combination()]) { combinations, axis in
      combinations.flatMap { combination in
        axis.values.map { value in
          Combination(values: combination.values + [(Axis(stage: stage, key: axis.key), value)])
        }
      }
    }
  }

  var keys: [String] { axes.map(\.key) }
}

/// A stage's name where another one reads from it: `joint`, or `joint@loss=clip,seed=1` for some of its combinations.
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

  /// Whether a combination has all the values that were named.
  func takes(_ combination: Matrix.Combination) -> Bool {
    values.allSatisfy { value in
      combination.values.contains { $0.axis.key == value.key && Matrix.Combination.text($0.value) == value.text }
    }
  }
}

extension StageSpecification {
  /// The stages of a file, in an order in which each comes after those it reads from, with those that are made in several
  /// combinations written out.
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

  /// The combinations of what the stage reads one of.
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

  /// The members that a name stands for; nil for no stage of the file.
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
        "'\(name)' is no combination of the stage '\(choice.family)'; it is made as "
          + "\(names.prefix(10).joined(separator: ", "))\(names.count > 10 ? " and others" : "")", at: "\(place)")
    }
    return chosen
  }

  /// The stage for one combination, which reads those results that go with it.
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
    let own = combination.values.filter { $0.axis.stage == name }
    member.configuration = try configuration.applying(
      own.map { ConfigurationOverride($0.axis.key.split(separator: ".").map(String.init), $0.value) })
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
