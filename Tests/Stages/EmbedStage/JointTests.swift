import Artifacts
import Diagnostics
import EncoderDescriptions
import Files
import ImageTextModels
import Pairs
import Pictures
import TestSupport
import Testing
import Torch

@testable import EmbedStage

@Suite struct JointTests {
  private let workshop: Workshop
  private let embeddings: Artifact

  init() throws {
    workshop = try Workshop()
    embeddings = try workshop.run(Workshop.towers + ["batch=2", "copies=1"], output: "apart")
  }

  private func model(_ name: String = "model", digest: String? = nil) throws -> Artifact {
    let description = try EmbeddingsArtifact(embeddings).description
    var image = description.image
    if let digest { image.digest = digest }
    let encoder = DualEncoder(
      .heads(HeadsConfiguration(image: image, text: description.text, hidden: 10, embed: 6, dropout: 0.5)), seed: 3,
      scale: LogitScale(25, from: .learned))
    return try workshop.artifact(name, .dualEncoder) { try encoder.save($0) }
  }

  @Test func `heads give rows of unit length with the model's scale`() throws {
    let model = try model()
    let joint = try EmbeddingsArtifact(workshop.run([], inputs: ["embeddings": embeddings, "model": model]))
    let apart = try EmbeddingsArtifact(embeddings)
    let encoder = try DualEncoder.read(model)
    let scale = try #require(joint.scale)
    #expect(abs(scale - 25) < 1e-4)
    #expect(joint.space.scale?.origin == .learned)
    #expect(
      joint.description.model == EncoderRecord(key: model.key, configuration: model.manifest.configuration))
    #expect(joint.table == apart.table)
    #expect(joint.description.prompts == apart.description.prompts)
    #expect(joint.description.image == apart.description.image.projected(to: 6))
    #expect(joint.copies == 0)
    try withoutGradients {
      let (classText, apartText) = (try #require(joint.classText), try #require(apart.classText))
      for (found, expected) in [
        (joint.image, encoder.images(apart.image)), (joint.text, encoder.texts(apart.text)),
        (classText, encoder.texts(apartText)),
      ] {
        #expect((found - expected).abs().reshaped([-1]).maximum(0).item < 1e-6)
      }
    }
    #expect(joint.image[1].floats == joint.image[3].floats)
  }

  @Test func `an encoder of its own towers reads the pairs`() throws {
    let captions = Workshop.table.captions.map(\.text)
    let tokenizer = try CaptionTokenizer.learned(from: captions, size: 280, context: 8, threads: 1)
    let encoder = DualEncoder(
      .towers(
        try TowersConfiguration(
          vision: .init(size: 8, patch: 4, width: 8, layers: 1, heads: 2),
          text: .init(vocabulary: tokenizer.vocabularySize, context: 8, width: 8, layers: 1, heads: 2), embed: 5,
          mean: PictureTransform.clipMean, deviation: PictureTransform.clipDeviation)), seed: 2,
      scale: LogitScale(10, from: .fixed), captionTokenizer: tokenizer)
    let model = try workshop.artifact("own", .dualEncoder) { try encoder.save($0) }
    let joint = try EmbeddingsArtifact(workshop.run(["batch=2"], inputs: ["pairs": workshop.pairs, "model": model]))
    #expect(joint.table == Workshop.table)
    #expect(joint.description.image.size == 8 && joint.description.prompts?.sentences.count == 2)
    try withoutGradients {
      let transform = try #require(encoder.transform)
      let pictures = encoder.images(transform(workshop.pixels, side: Workshop.size))
      let texts = encoder.texts(CaptionTokenizer.padded(captions.map(tokenizer.encode)))
      #expect((joint.image - pictures).abs().reshaped([-1]).maximum(0).item < 1e-5)
      #expect((joint.text - texts).abs().reshaped([-1]).maximum(0).item < 1e-5)
    }
    let failure = #expect(throws: Failure.self) {
      try workshop.run([], inputs: ["embeddings": embeddings, "model": model], output: "other")
    }
    #expect(failure?.description.contains("--pairs") == true)
  }

  @Test func `heads of another tower are refused by name`() throws {
    let other = try model("other", digest: "ff")
    let failure = #expect(throws: Failure.self) {
      try workshop.run([], inputs: ["embeddings": embeddings, "model": other])
    }
    #expect(failure?.status == .badData)
    #expect(failure?.description.contains("\"ff\"") == true)
  }

  @Test func `a joint space goes through no heads again`() throws {
    let model = try model()
    let joint = try workshop.run([], inputs: ["embeddings": embeddings, "model": model], output: "joint")
    let failure = #expect(throws: Failure.self) {
      try workshop.run([], inputs: ["embeddings": joint, "model": model])
    }
    #expect(failure?.status == .badData)
  }

  @Test func `heads want embeddings, not pairs`() throws {
    let model = try model()
    let failure = #expect(throws: Failure.self) {
      try workshop.run([], inputs: ["pairs": workshop.pairs, "model": model])
    }
    #expect(failure?.status == .badData)
    #expect(failure?.description.contains("--embeddings") == true)
  }

  @Test func `inputs that make no whole are refused`() throws {
    let model = try model()
    for inputs in [["embeddings": embeddings], ["model": model], [:]] {
      #expect(throws: Failure.self) { try workshop.run([], inputs: inputs) }
    }
    let failure = #expect(throws: Failure.self) {
      try workshop.run(Workshop.towers, inputs: ["embeddings": embeddings, "model": model])
    }
    #expect(failure?.status == .badConfiguration)
  }
}
