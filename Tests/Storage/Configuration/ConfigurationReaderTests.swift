import Configuration
import Diagnostics
import Testing

@Suite struct ConfigurationReaderTests {
  enum Objective: String, CaseIterable {
    case robust, plain
  }

  struct Training: StageConfiguration, Equatable {
    var steps: Int
    var rate: Double
    var rho: Double?
    var objective: Objective
    var names: [String]
    var decay: Double
    var policies: [Named<String>]
    var threads: Int?

    init(reading reader: inout ConfigurationReader) throws {
      steps = try reader.integer("steps", in: 1...100, help: "optimiser steps")
      rate = try reader.number("rate", default: 1e-3, in: .positive, help: "learning rate")
      rho = try reader.numberOrAuto("rho", in: .nonNegative, help: "radius")
      objective = try reader.choice("objective", default: .robust, help: "what is minimised")
      names = try reader.strings("names", default: [], help: "names")
      decay = try reader.section("optimizer") { inner in
        try inner.number("decay", default: 0.1, in: 0...1, help: "weight decay")
      }
      policies = try reader.value("policies", as: .named(.string), default: [], help: "policies")
      threads = try reader.threads()
      if steps == 13 { throw reader.failure("steps", "must not be 13") }
      if rate > Double(steps) { throw reader.failure("rate", with: ["steps"], "must not exceed steps") }
      if let bad = policies.first(where: { $0.value == "bad" }) {
        throw reader.failure("policies", under: bad.name, "has a bad one")
      }
    }
  }

  private func resolve(_ yaml: String, set: [String] = []) throws -> ResolvedConfiguration<Training> {
    try Training.resolve(
      try YAMLSource.parse(yaml, source: "a.yaml").applying(set.map(ConfigurationOverride.init(parsing:))))
  }

  private func failure(_ yaml: String, set: [String] = []) -> String? {
    do {
      _ = try resolve(yaml, set: set)
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: [
    ("steps: \"30\"", "30': it is a text because of its quotation marks; write it without them"),
    ("steps: '300'", "300'"), ("steps: 1_0", "1_0'; write 10"), ("steps: 1_000", "1_000'"),
    ("{steps: 1, rho: \"1e-3\"}", "1e-3': it is a text because of its quotation marks; write it without them"),
    ("steps: |\n  30\n", "30\n'"), ("steps: 2001-01-01", "2001-01-01'"), ("steps: yes", "yes'"),
    ("steps: 1,0", "1,0'"), ("steps:", "nothing"),
  ])
  func `names the right spelling of a misspelt value`(_ yaml: String, _ end: String) {
    #expect(
      failure(yaml)?.hasSuffix(end.hasSuffix("g") ? "not nothing" : "not '\(end)") == true, "\(failure(yaml) ?? "")")
  }

  struct Switch: StageConfiguration {
    var isOn: Bool
    init(reading reader: inout ConfigurationReader) throws { isOn = try reader.boolean("on", default: false, help: "") }
  }

  @Test func `booleans of YAML 1_1 are refused with those of YAML 1_2`() throws {
    for (word, value) in [("yes", "true"), ("On", "true"), ("NO", "false"), ("off", "false"), ("n", "false")] {
      #expect {
        try Switch.resolve(try YAMLSource.parse("'on': \(word)", source: "a.yaml"))
      } throws: {
        "\($0)" == "a.yaml, line 1: on must be true or false, not '\(word)'; write \(value)"
      }
    }
    #expect {
      try Switch.resolve(try YAMLSource.parse("on: \"true\"", source: "a.yaml"))
    } throws: {
      "\($0)".hasSuffix("not 'true': it is a text because of its quotation marks; write it without them")
    }
    #expect(try Switch.resolve(try YAMLSource.parse("on: True", source: "a.yaml")).values.isOn)
  }

  @Test func `defaults are filled in and auto stays auto in the canonical configuration`() throws {
    let resolved = try resolve("steps: 7\nthreads: 3\n")
    #expect(resolved.values.rate == 1e-3 && resolved.values.rho == nil && resolved.values.threads == 3)
    #expect(
      resolved.canonical == [
        "steps": 7, "rate": 0.001, "rho": "auto", "objective": "robust", "names": [], "optimizer": ["decay": 0.1],
        "policies": [],
      ])
  }

  @Test func `the spelling of a value does not reach the canonical configuration`() throws {
    let a = try resolve("{steps: 7, rate: 1, names: x, policies: {a: 0.7, b: exact}}").canonical
    let b = try resolve("rate: 1.0\nnames: ['x']\nsteps: 0x7\npolicies: [{a: '0.7'}, {b: exact}]\n").canonical
    #expect(a.canonical == b.canonical)
  }

  @Test func `the canonical configuration is one that reads back the same`() throws {
    let first = try resolve("{steps: 7, names: ['é: \"#', '8', ''], policies: {a: 0.7}}")
    let second = try resolve(first.canonical.pretty)
    #expect(second.values == first.values)
    #expect(second.canonical.canonical == first.canonical.canonical)
  }

  @Test func `a written configuration reads back in the same spelling`() throws {
    let yaml = "steps: 0x7\nrate: 1e-3\nnames: ['é: \"#', 007, '8', \"a\\n\", ~, yes]\noptimizer: {decay: .5}\nrho:\n"
    let node = try YAMLSource.parse(yaml, source: "a.yaml")
    let again = try YAMLSource.parse(node.document, source: "b.yaml")
    #expect(again.json == node.json && again.document == node.document)
    #expect(node.document.hasPrefix("\"steps\": 0x7\n\"rate\": 1e-3\n\"names\": [\"é: \\\"#\", 007, \"8\", "))
    #expect(try YAMLSource.parse("", source: "a").document == "{}\n")
  }

  @Test func `an unknown key names its line and the nearest known key`() {
    #expect(failure("steps: 1\nrte: 3\n") == "a.yaml, line 2: unknown key 'rte'; did you mean 'rate'?")
    #expect(
      failure("steps: 1\noptimizer:\n  decy: 3\n")
        == "a.yaml, line 3: unknown key 'optimizer.decy'; did you mean 'optimizer.decay'?")
    #expect(failure("steps: 1\noptimizer: {x: 3}\n") == "a.yaml, line 2: unknown key 'optimizer.x'; known are decay")
    #expect(
      failure("steps: 1\noptimizer.decay: 3\n")
        == "a.yaml, line 2: unknown key 'optimizer.decay'; in a file it is written 'optimizer: {decay: ...}'")
  }

  @Test func `a key that belongs in a section is reported with its section`() {
    #expect(failure("steps: 1\ndecay: 3\n") == "a.yaml, line 2: unknown key 'decay'; did you mean 'optimizer.decay'?")
    #expect(
      failure("steps: 1", set: ["decay=3"]) == "--set decay=3: unknown key 'decay'; did you mean 'optimizer.decay'?")
  }

  @Test func `a misspelt required key is reported as misspelt`() {
    #expect(failure("rate: 3\nstep: 5\n") == "a.yaml, line 2: unknown key 'step'; did you mean 'steps'?")
    #expect(failure("rate: 3\n") == "a.yaml, line 1: steps is missing; it must be a whole number from 1 to 100")
  }

  @Test func `a wrong value is shown with what was expected`() {
    #expect(failure("steps: 101\n") == "a.yaml, line 1: steps must be a whole number from 1 to 100, not '101'")
    #expect(failure("steps: 1\nrate: fast\n") == "a.yaml, line 2: rate must be a number above 0, not 'fast'")
    #expect(failure("steps: 1\nrho: -1") == "a.yaml, line 2: rho must be a number of at least 0, or auto, not '-1'")
    #expect(
      failure("steps: 1\nobjective: fast") == "a.yaml, line 2: objective must be one of robust, plain, not 'fast'")
    #expect(failure("steps: 1\nnames:\n - a\n - [b]\n")?.hasPrefix("a.yaml, line 4: names must be") == true)
    #expect(failure("steps:") == "a.yaml, line 1: steps must be a whole number from 1 to 100, not nothing")
    #expect(failure("steps: 13") == "a.yaml, line 1: steps must not be 13")
    #expect(
      failure("- 1\n") == "a.yaml, line 1: the configuration must be a mapping of keys to values, not a list of 1")
  }

  @Test func `overrides take precedence over the file and are named in errors`() throws {
    let resolved = try resolve(
      "steps: 7\nrho: 3\n", set: ["steps=8", "optimizer.decay=0.5", "names=[a, b]", "rho=auto"])
    #expect(resolved.values.steps == 8 && resolved.values.decay == 0.5 && resolved.values.names == ["a", "b"])
    #expect(resolved.values.rho == nil)
    #expect(failure("steps: 7", set: ["rte=3"]) == "--set rte=3: unknown key 'rte'; did you mean 'rate'?")
    #expect(
      failure("steps: 7", set: ["steps.x=3"])
        == "--set steps.x=3: '7' at a.yaml, line 1 holds no keys, so 'x' cannot be set in it")
    #expect(failure("steps: 7", set: ["rate"]) == "--set rate: expected key=value")
    #expect(
      failure("steps: 7", set: ["names=[a, "])
        == "--set names=[a, : while parsing a flow node, did not find expected node content")
    #expect(failure("steps: 7", set: ["names=#1"]) == "--set names=#1: the value is a YAML comment; quote it")
    #expect(failure("steps: 7", set: ["steps="])?.hasSuffix("not nothing") == true)
  }

  @Test func `an error of several keys names the option or the line that set one of them`() {
    #expect(failure("steps: 7\nrate: 8\n") == "a.yaml, line 2: rate must not exceed steps")
    #expect(failure("steps: 7\nrate: 5\n", set: ["steps=4"]) == "--set steps=4: rate must not exceed steps")
    #expect(failure("steps: 7\nrate: 5\n", set: ["rate=8"]) == "--set rate=8: rate must not exceed steps")
    #expect(failure("steps: 7\nrate: 5\n", set: ["steps=-1"])?.hasPrefix("--set steps=-1: steps must be") == true)
  }

  @Test func `an error in named values names the wrong one`() {
    #expect(failure("steps: 7\npolicies:\n  a: x\n  b: bad\n") == "a.yaml, line 4: policies has a bad one")
    #expect(failure("steps: 7\npolicies:\n  - a: x\n  - b: bad\n") == "a.yaml, line 4: policies has a bad one")
    #expect(
      failure("steps: 7\npolicies: {a: x}\n", set: ["policies.c=y", "policies.b=bad"])
        == "--set policies.b=bad: policies has a bad one")
  }

  @Test func `a file that is not a mapping is refused, whatever the options set`() {
    let words = "the configuration must be a mapping of keys to values, not"
    #expect(failure("\n- 1\n", set: ["steps=1"]) == "a.yaml, line 2: \(words) a list of 1")
    #expect(failure("steps\n", set: ["steps=1"]) == "a.yaml, line 1: \(words) 'steps'")
  }

  @Test func `a wrong number on the command line has the error of its key`() {
    func failure(_ text: String) -> String? {
      let given = ["steps": "7", "rate": text].compactMap { ConfigurationOverride.number($0, $1, from: "--\($0)") }
      do {
        _ = try Training.resolve(file: nil, overrides: given)
        return nil
      } catch {
        return "\(error)"
      }
    }
    for text in ["nan", "-nan", "inf", "1e400", "-1", "fast", "", "null", "~"] {
      #expect(failure(text) == "--rate: rate must be a number above 0, not '\(text)'")
    }
    #expect(failure("1e-3") == nil)
    #expect(ConfigurationOverride.number("rate", nil, from: "--rate") == nil)
  }

  @Test func `a name that is given twice is refused with both options`() throws {
    func entry(_ section: String, _ name: String, _ value: String) -> ConfigurationOverride {
      .entry(of: section, name, value, from: "--policy \(name)=\(value)")
    }
    try ConfigurationOverride.checkNames(of: [entry("policies", "a", "0.5"), entry("policies", "b", "0.7")])
    #expect {
      try ConfigurationOverride.checkNames(of: [entry("policies", "a", "0.5"), entry("tempnets", "a", "./fitted")])
    } throws: {
      ($0 as? Failure)
        == Failure(
          .badConfiguration, "the name 'a' is taken by --policy a=0.5", at: "--policy a=./fitted")
    }
  }

  @Test func `values of separate options are literal`() throws {
    let overrides = [
      ConfigurationOverride.number("steps", "9", from: "--steps"),
      ConfigurationOverride.number("rate", nil, from: "--rate"),
      ConfigurationOverride.option("names", ["[x", "7"], from: "--names"),
    ].compactMap { $0 }
    let resolved = try Training.resolve(file: nil, overrides: overrides)
    #expect(resolved.values.steps == 9 && resolved.values.names == ["[x", "7"])
  }

  @Test func `documentation lists every key with its default`() throws {
    let documentation = Training.documentation
    #expect(
      documentation.map(\.key)
        == ["steps", "rate", "rho", "objective", "names", "optimizer.decay", "policies", "threads"])
    #expect(documentation[0].default == nil && documentation[2].default == "auto")
    #expect(documentation.listing.contains("  rate\n      learning rate (a number above 0; default 0.001)"))
  }
}
