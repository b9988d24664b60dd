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
    #expect(PolicySpecification("./fitted") == .artifact("./fitted"))
  }

  @Test(arguments: [
    "", "0", "-1", "nan", "inf", "exact:", "exact:0", "exact:1,2", "model:1", "entropy-dynamic", "entropy-dynamic:1",
    "entropy-dynamic:0,1", "dynamic-range", "dynamic-range:1", "dynamic-range:2..1", "dynamic-range:0..0",
    "dynamic-range:-1..1", "dynamic-range:1..2,0", "dynamic-range:1..2,3,4",
    "entropy-levels:1,2", "entropy-levels:2,1,3", "entropy-levels:0,1,3", "entropy-levels:1,2,-1", "kl-ball",
    "kl-ball:0",
    "kl-ball:-1", "kl-ball:1,2", "warm",
  ])
  func `what is none is refused`(text: String) { #expect(PolicySpecification(text) == nil) }

  @Test func `what may be a path is told from what is meant as words`() {
    for text in ["0.7", "-nan", "exact", "exact:0", "model", "entropy-dynamic:1", "dynamic-range:2..1", "kl-ball:x"] {
      #expect(PolicySpecification.isWords(text))
    }
    for text in ["fitted", "./model", "model/", "0.7/tempnet", "runs:1"] { #expect(!PolicySpecification.isWords(text)) }
  }
}
