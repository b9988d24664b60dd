import TemperatureSettings
import Testing

@Suite struct PolicySpecificationTests {
  @Test func `every form is read`() {
    #expect(PolicySpecification("0.7") == .fixed(0.7))
    #expect(PolicySpecification("exact") == .exact(entropy: nil))
    #expect(PolicySpecification("exact:4.5") == .exact(entropy: 4.5))
    #expect(PolicySpecification("model") == .model)
    #expect(PolicySpecification("entropy-dynamic:1,1.5") == .entropyDynamic(base: 1, theta: 1.5))
    #expect(PolicySpecification("dynamic-range:0.5..1.5") == .dynamicRange(0.5...1.5, exponent: 1))
    #expect(PolicySpecification("dynamic-range:0.5..1.5,2") == .dynamicRange(0.5...1.5, exponent: 2))
    #expect(PolicySpecification("dynamic-range:0..1.5") == .dynamicRange(0...1.5, exponent: 1))
    #expect(PolicySpecification("entropy-levels:0.7,1.2,2") == .entropyLevels(low: 0.7, high: 1.2, threshold: 2))
    #expect(PolicySpecification("kl-ball:0.1") == .divergenceBall(radius: 0.1))
    #expect(PolicySpecification("line-starts:0.8,0.6") == .lineStarts(high: 0.8, low: 0.6))
    #expect(PolicySpecification("turn") == .turningPoint)
    #expect(PolicySpecification("kl-ball:tuned") == .tuned(.divergenceBall))
    #expect(PolicySpecification("dynamic-range:tuned") == .tuned(.dynamicRange))
    #expect(PolicySpecification("./fitted") == .artifact("./fitted"))
  }

  @Test(arguments: [
    "", "0", "-1", "nan", "inf", "exact:", "exact:0", "exact:1,2", "model:1", "entropy-dynamic", "entropy-dynamic:1",
    "entropy-dynamic:0,1", "dynamic-range", "dynamic-range:1", "dynamic-range:2..1", "dynamic-range:0..0",
    "dynamic-range:-1..1", "dynamic-range:1..2,0", "dynamic-range:1..2,3,4",
    "entropy-levels:1,2", "entropy-levels:2,1,3", "entropy-levels:0,1,3", "entropy-levels:1,2,-1", "kl-ball",
    "kl-ball:0",
    "line-starts", "line-starts:0.6,0.8", "turn:1", "tuned", "exact:tuned", "kl-ball:-1", "kl-ball:1,2", "warm",
  ])
  func `what is none is refused`(text: String) { #expect(PolicySpecification(text) == nil) }

  @Test(arguments: ["top-p:0.9", "min-p", "turn-sampling", "adaptive-p:0.3", "dynamic-range-after-cuts"])
  func `rules that are no function of a prediction are refused by name`(text: String) throws {
    #expect(PolicySpecification(text) == nil && PolicySpecification.isWords(text))
    #expect(try #require(PolicySpecification.reasonAgainst(text)).hasPrefix(text))
    #expect(PolicySpecification.reasonAgainst("warm") == nil)
    #expect(PolicySpecification.reasonAgainst("line-starts:0.8,0.6")?.contains("tokens before") == true)
  }

  @Test(arguments: PolicyFamily.allCases)
  func `settings of a family differ, are policies, and begin near temperature 1`(family: PolicyFamily) {
    let settings = family.settings(16, entropy: 2)
    #expect(Set(settings.map { "\($0)" }).count == 16)
    #expect(family.settings(4, entropy: 2) == Array(settings.prefix(4)))
    for setting in settings {
      switch setting {
      case .entropyDynamic(let base, let theta): #expect(base > 0 && theta >= 0)
      case .dynamicRange(let range, let exponent): #expect(range.lowerBound > 0 && exponent > 0)
      case .entropyLevels(let low, let high, let threshold): #expect(low < high && threshold > 0)
      case .divergenceBall(let radius): #expect(radius > 0)
      default: Issue.record("\(setting) is of no family")
      }
    }
  }

  @Test func `what may be a path is told from what is meant as words`() {
    for text in ["0.7", "-nan", "exact", "exact:0", "model", "entropy-dynamic:1", "dynamic-range:2..1", "kl-ball:x"] {
      #expect(PolicySpecification.isWords(text))
    }
    for text in ["fitted", "./model", "model/", "0.7/tempnet", "runs:1"] { #expect(!PolicySpecification.isWords(text)) }
  }
}
