import Diagnostics
import JSON
import ModelDescriptions
import Testing

@testable import LanguageModels

@Suite struct ModelConfigurationTests {
  @Test(arguments: Examples.all)
  func `what is written to JSON is read back`(_ configuration: ModelConfiguration) throws {
    let text = configuration.json.pretty
    #expect(try ModelConfiguration(JSON(parsing: text, source: "t"), source: "t") == configuration)
  }

  static let impossible: [([String: Double], String)] =
    [
      (["heads": 3], "heads is 3, which does not divide width, 16"), (["key_value_heads": 3], "key_value_heads is 3"),
      (["heads": 16], "pairs"), (["rotary_fraction": 0.1], "pairs"), (["rotary_fraction": 1.5], "rotary_fraction"),
      (["layers": 0], "layers is 0"), (["vocabulary": -1], "vocabulary is -1"), (["dropout": 1], "dropout is 1"),
      (["norm_epsilon": 0], "norm_epsilon"), (["rotary_base": 1], "rotary_base"),
    ]

  @Test(arguments: impossible)
  func `values that cannot be are refused with a reason`(_ change: [String: Double], _ reason: String) {
    let failure = #expect(throws: Failure.self) {
      func value(_ key: String, _ usual: Double) -> Double { change[key] ?? usual }
      _ = try ModelConfiguration(
        vocabulary: Int(value("vocabulary", 9)), context: 8, width: 16, layers: Int(value("layers", 1)),
        heads: Int(value("heads", 4)), keyValueHeads: change["key_value_heads"].map { Int($0) },
        normEpsilon: value("norm_epsilon", 1e-5), rotaryBase: value("rotary_base", 100),
        rotaryFraction: value("rotary_fraction", 1), dropout: value("dropout", 0), at: "pretrain.yaml")
    }
    #expect(failure?.status == .badConfiguration)
    #expect(failure?.place == "pretrain.yaml")
    #expect(failure?.message.contains(reason) == true, "\(failure!)")
  }

  @Test func `learned positions need no even head`() {
    #expect(throws: Never.self) {
      try ModelConfiguration(vocabulary: 9, context: 8, width: 15, layers: 1, heads: 3, positions: .learned)
    }
  }

  static let faults: [(String, JSON?, String)] =
    [
      ("norm", "batch", "norm is \"batch\", expected one of layer, rms"), ("width", "64", "width must be"),
      ("colour", 1, "colour is not known"), ("heads", nil, "heads is missing"),
      ("key_value_heads", 3, "key_value_heads is 3"),
    ]

  @Test(arguments: faults)
  func `a file that is not as it should be is refused by member`(_ key: String, _ value: JSON?, _ reason: String) {
    var json = Examples.gpt2.json
    json[key] = value
    let failure = #expect(throws: Failure.self) { try ModelConfiguration(json, source: "m/config.json") }
    #expect(failure?.status == .badData)
    #expect(failure?.place == "m/config.json")
    #expect(failure?.message.contains(reason) == true, "\(failure!)")
  }

  @Test func `the usual feed-forward width is four times the width, with SwiGLU about as many weights`() throws {
    let usual = try ModelConfiguration(vocabulary: 9, context: 8, width: 384, layers: 1, heads: 6)
    let gated = try ModelConfiguration(
      vocabulary: 9, context: 8, width: 384, layers: 1, heads: 6, activation: .swiglu)
    #expect(usual.feedForward == 1536)
    #expect(gated.feedForward == 1024)
  }

  @Test func `parameters are counted as GPT-2 counts them`() throws {
    let gpt2 = try ModelConfiguration(
      vocabulary: 50257, context: 1024, width: 768, layers: 12, heads: 12, positions: .learned,
      activation: .geluTanh, tiedHead: true)
    #expect(gpt2.parameterCount == 124_439_808)
  }
}
