import Configuration
import JSON
import StageDescriptions
import Testing

/// Compared with peaks of resident memory, in MiB, on an x86-64 with AVX2 and two threads: all emoji and clip art (an
/// artifact of 63 MiB of embeddings) and EfficientNet-Lite0 beside MiniLM.
@Suite struct MemoryEstimateTests {
  private static let raw = PlannedInput(configuration: [:], bytes: 63 << 20)

  private func contrast(_ settings: [String], _ input: PlannedInput = raw) throws -> MemoryEstimate? {
    let overrides = try (["loss=tempnet"] + settings).map(ConfigurationOverride.init(parsing:))
    let configuration = try ContrastConfiguration.resolve(file: nil, overrides: overrides).values
    return Contrast.memory(configuration, inputs: ["embeddings": [input]])
  }

  @Test(arguments: [
    (["batch=128"], 298), (["batch=512"], 305), (["batch=2048"], 449),
    (["batch=2048", "loss_tile=128", "micro_batch=256"], 300),
  ]) func `the memory of a training is about what was measured`(_ settings: [String], _ measured: Int) throws {
    let estimate = try #require(try contrast(settings))
    #expect((0.9...1.4).contains(Double(estimate.bytes >> 20) / Double(measured)), "\(estimate.bytes >> 20)")
    #expect(estimate.beside == [])
  }

  @Test func `of retrieval it is two of the embeddings that are compared`() throws {
    let configuration = try RetrieveConfiguration.resolve(file: nil, overrides: []).values
    let joint = PlannedInput(configuration: [:], bytes: 25_700_000)
    let estimate = try #require(Retrieve.memory(configuration, inputs: ["embeddings": [joint, joint]]))
    #expect((0.9...1.4).contains(Double(estimate.bytes >> 20) / 211), "\(estimate.bytes >> 20)")
  }

  @Test func `what inputs that are not made yet will add is named`() throws {
    let missing = PlannedInput(configuration: [:], bytes: nil)
    let (with, without) = (try #require(try contrast([])), try #require(try contrast([], missing)))
    #expect(with.bytes - without.bytes == 63 << 20 && without.beside == ["embeddings"])
    #expect(without.words(available: 1 << 40) == "memory: about \(without.bytes >> 20) MiB and its embeddings")
    #expect(with.words(available: 100 << 20).hasSuffix(", more than the 100 MiB of this machine"))
  }

  @Test func `decoding takes more where larger pictures are accepted`() throws {
    func estimate(_ settings: [String]) throws -> Int {
      let overrides = try (["source=[a.tar]", "threads=2"] + settings).map(ConfigurationOverride.init(parsing:))
      return try #require(MakePairs.memory(try PairsConfiguration.resolve(file: nil, overrides: overrides).values))
        .bytes
    }
    #expect(try estimate(["pixel_limit=2000000"]) - estimate(["pixel_limit=1000000"]) == 14_000_000)
  }
}
