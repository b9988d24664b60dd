import Artifacts
import Configuration
import Diagnostics
import EncoderDescriptions
import Files
import ImageTextModels
import JSON
import Pairs
import StageDescriptions
import TempNet
import TestSupport
import Testing
import Torch

@testable import ContrastStage

/// Encoders that are trained on pictures and captions themselves.
@Suite struct PicturesStageTests {
  private let folder: TemporaryFolder
  private let pairs: Artifact

  init() throws {
    folder = try TemporaryFolder()
    pairs = try SyntheticPictures.artifact(folder("pairs"))
  }

  private static let small =
    [
      "batch=16", "epochs=20", "threads=2", "device=cpu", "compute=float32", "tempnet.units=16", "log_interval=4",
      "optimiser.learning_rate=4e-3", "augment.crop_area=0.9", "augment.mirrored=0",
    ] + SyntheticPictures.towers

  private func request(
    _ output: String, _ loss: ContrastConfiguration.Loss, _ settings: [String] = []
  ) throws -> StageRequest<Contrast> {
    let all = Self.small + ["loss=\(loss.rawValue)"] + (loss.hasBudget ? ["effective_negatives=6"] : []) + settings
    return try StageRequest(
      configuration(all), inputs: ["pairs": [pairs.path]], output: folder(output), digests: FileDigests())
  }

  @Test(arguments: ContrastConfiguration.Loss.allCases)
  func `every loss finds combinations that were never trained on`(loss: ContrastConfiguration.Loss) throws {
    let artifact = try ContrastStage.run(request("model", loss))
    // Chance is (1 + 5 + 10) / 3 of 16: a third.
    let recall = try #require(artifact.summary["validation"]?["mean_recall"]?.doubleValue)
    #expect(recall > 0.55)
    let encoder = try DualEncoder.read(artifact)
    #expect(encoder.captionTokenizer?.context == 16)
    #expect(artifact.contains(EmbeddingTempNetFile.name) == loss.trainsTempNet)
    #expect(artifact.contains(ContrastStage.statesFile) == loss.isRobust)
  }

  @Test(arguments: ContrastConfiguration.Loss.allCases)
  func `at two threads a run comes to equal bytes, stopped or not`(loss: ContrastConfiguration.Loss) throws {
    let settings = ["epochs=6", "micro_batch=6", "towers.dropout=0.2", "augment.mirrored=0.5"]
    let whole = try ContrastStage.run(request("whole", loss, settings))
    #expect(try ContrastStage.run(request("again", loss, settings)).manifest.files == whole.manifest.files)
    var stops = 0
    while true {
      do {
        let limit = stops < 3 ? ["time_limit=0.02"] : []
        let parts = try ContrastStage.run(request("parts", loss, settings + limit))
        #expect(parts.manifest.files == whole.manifest.files)
        break
      } catch let failure as Failure where failure.status == .tryAgain { stops += 1 }
    }
    #expect(stops > 0)
  }

  @Test(arguments: [TrainedPart.all, .image, .text, .heads])
  func `a model is trained further, and what is locked stays`(part: TrainedPart) throws {
    let first = try ContrastStage.run(request("first", .clipLearned, ["epochs=4"]))
    let further = try ContrastStage.run(
      StageRequest<Contrast>(
        configuration(
          Self.small.filter { !$0.hasPrefix("towers") } + ["loss=sogclr", "epochs=2", "train=\(part.rawValue)"]),
        inputs: ["pairs": [pairs.path], "model": [first.path]], output: folder("further"), digests: FileDigests()))
    let (before, after) = (try DualEncoder.read(first), try DualEncoder.read(further))
    let learnt = Set(before.encoderParameters(of: part).map(\.name))
    #expect(part == .heads ? learnt == ["visual.proj", "text_projection"] : !learnt.isEmpty)
    for (old, new) in zip(before.encoderParameters, after.encoderParameters) {
      #expect((old.tensor.floats != new.tensor.floats) == learnt.contains(old.name), "\(old.name)")
    }
    #expect(after.captionTokenizer?.fileText == before.captionTokenizer?.fileText)
    #expect(abs(after.scale.value - 20) < 1e-4 && after.scaleOrigin == .fixed)
  }

  @Test(
    arguments: [
      (["train=text"], false, "needs one"), (["temperature=0.1", "loss=clip_learned"], true, "temperature"),
    ])
  func `what a model settles is refused`(settings: [String], hasModel: Bool, word: String) throws {
    let given: Set<String> = hasModel ? ["pairs", "model"] : ["pairs"]
    let all = Self.small + ["effective_negatives=6"] + settings
    let problem = Contrast.problem(try configuration(all).values, withInputs: given)
    #expect(problem?.contains(word) == true)
  }

  @Test func `the part of a picture that a step sees is a function of seed, step and position`() throws {
    let tokenizer = try SyntheticPictures.tokenizer()
    func inputs(seed: Int) throws -> PicturePairs {
      PicturePairs(
        try PairsArtifact(pairs), transform: .init(size: 8), tokenizer: tokenizer,
        try configuration(["augment.crop_area=0.3"]).values.augmentation, seed: seed, device: .cpu)
    }
    let (one, other) = (try inputs(seed: 1), try inputs(seed: 2))
    let batch = [3, 5, 9, 20].map { PairBatch.Pair(picture: $0, caption: 2 * $0, version: 0) }
    let whole = one.images(batch[...], step: 4)
    #expect(one.images(batch[2...], step: 4).floats == whole[2..<4].contiguous().floats)
    #expect(one.images(batch[...], step: 5).floats != whole.floats)
    #expect(other.images(batch[...], step: 4).floats != whole.floats)
    #expect(one.images(at: [3]).floats == other.images(at: [3]).floats)
  }

  @Test func `a given vocabulary takes the place of a learnt one, and its content enters the key`() throws {
    let tokenizer = try SyntheticPictures.tokenizer()
    let path = try folder.write(tokenizer.fileText, to: "tokenizer.json")
    let settings = ["epochs=1", "towers.text.tokenizer=\(path)"]
    let request = try request("given", .clip, settings)
    let model = try DualEncoder.read(ContrastStage.run(request))
    #expect(model.captionTokenizer?.fileText == tokenizer.fileText)
    let key = try self.request("b", .clip, settings).key
    #expect(key == request.key)
    #expect(try self.request("c", .clip, settings + ["towers.text.vocabulary=400"]).key == key)
    try AtomicFile.write(tokenizer.fileText + "\n", to: path)
    #expect(try self.request("d", .clip, settings).key != key)
  }

  @Test func `settings of the other form are not in the key, and one input is taken`() throws {
    func key(_ settings: [String]) throws -> String { try request("key", .clip, settings).key }
    #expect(try key([]) == key(["heads.hidden=7", "copies=false"]))
    #expect(try key([]) != key(["towers.embed=17"]))
    let embeddings = try SyntheticPairs(80).artifact(folder("embeddings"))
    func heads(_ settings: [String]) throws -> StageRequest<Contrast> {
      try StageRequest(
        configuration(["batch=16"] + settings + ["loss=clip"]), inputs: ["embeddings": [embeddings.path]],
        output: folder("heads"), digests: FileDigests())
    }
    #expect(try heads([]).key == heads(["towers.embed=17", "augment.mirrored=0"]).key)
    #expect(try heads([]).key != heads(["heads.hidden=7"]).key)
    for inputs in [[:], ["pairs": [pairs.path], "embeddings": [embeddings.path]]] {
      let failure = #expect(throws: Failure.self) {
        try StageRequest<Contrast>(
          configuration(["loss=clip"]), inputs: inputs, output: folder("none"), digests: FileDigests())
      }
      #expect(failure?.status == .badConfiguration && failure!.message.contains("pairs"))
    }
    let path = try folder.write("{}", to: "tokenizer.json")
    let failure = #expect(throws: Failure.self) { try heads(["towers.text.tokenizer=\(path)"]) }
    #expect(failure?.message.contains("towers.text.tokenizer") == true)
  }

  @Test(arguments: [
    (["towers.image.size=30", "towers.image.patch=8"], "towers.image.patch"),
    (["towers.image.width=100", "towers.image.heads=3"], "towers.image.heads"),
    (["towers.text.width=10", "towers.text.heads=4"], "towers.text.heads"),
    (["augment.crop_area=0"], "augment.crop_area"), (["towers.dropout=1"], "towers.dropout"),
  ]) func `sizes that do not fit are refused by name`(_ settings: [String], _ key: String) throws {
    let failure = #expect(throws: Failure.self) { try configuration(settings) }
    #expect(failure?.status == .badConfiguration && failure!.message.hasPrefix(key), "\(failure!)")
  }

  @Test func `a missing vocabulary is named`() throws {
    let failure = #expect(throws: Failure.self) {
      try request("model", .clip, ["towers.text.tokenizer=\(folder("none.json"))"])
    }
    #expect(failure?.status == .missingInput && "\(failure!)".contains("none.json"))
  }
}
