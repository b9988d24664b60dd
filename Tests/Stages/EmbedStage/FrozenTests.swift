import Artifacts
import Diagnostics
import EncoderDescriptions
import Files
import ImageTextModels
import Pairs
import TestSupport
import Testing
import Torch

@testable import EmbedStage

@Suite struct FrozenTests {
  private let workshop: Workshop

  init() throws { workshop = try Workshop() }

  @Test func `rows are those of the towers, at their positions`() throws {
    let artifact = try workshop.run(Workshop.towers + ["batch=2"])
    let embeddings = try EmbeddingsArtifact(artifact)
    #expect(embeddings.table == Workshop.table)
    #expect(embeddings.space == .apart)
    let description = embeddings.description
    #expect(description.image.name == "small" && description.image.size == 16 && description.text.name == "bert")
    let folders = Workshop.towers.map { String($0.split(separator: "=")[1]) }
    let image = try FrozenImageTower(folders[0], size: Workshop.size, device: .cpu)
    let text = try FrozenTextTower(folders[1], limit: nil, device: .cpu, computeType: .float32)
    try withoutGradients {
      let pictures = image(image.transform(workshop.pixels, side: Workshop.size))
      let captions = text(Workshop.table.captions.map { text.tokens(of: $0.text) })
      let prompts = text(["animals", "people"].map { text.tokens(of: "a picture of \($0)") })
      #expect((embeddings.image - pictures).abs().reshaped([-1]).maximum(0).item < 1e-5)
      #expect((embeddings.text - captions).abs().reshaped([-1]).maximum(0).item < 1e-5)
      let classText = try #require(embeddings.classText)
      #expect((classText - prompts).abs().reshaped([-1]).maximum(0).item < 1e-5)
    }
  }

  @Test func `equal pictures and equal captions have equal rows`() throws {
    let embeddings = try EmbeddingsArtifact(workshop.run(Workshop.towers + ["batch=2"]))
    #expect(embeddings.image[1].floats == embeddings.image[3].floats)
    #expect(embeddings.text[0].floats == embeddings.text[2].floats)
    #expect(embeddings.image[0].floats != embeddings.image[1].floats)
  }

  @Test func `a run that stops and goes on gives equal bytes, wherever it stops`() throws {
    let settings = Workshop.towers + ["batch=2", "copies=2"]
    let whole = try contents(workshop.run(settings, output: "whole").path)
    for stop in 1...8 {
      var asked = 0
      var stops = 0
      while true {
        do {
          _ = try workshop.run(settings, output: "again-\(stop)") {
            asked += 1
            return asked % stop == 0 && stops < 20
          }
          break
        } catch let failure as Failure where failure.status == .tryAgain {
          stops += 1
        }
      }
      #expect(try contents(workshop.folder("again-\(stop)")) == whole)
      #expect(stops > 0)
    }
  }

  @Test func `copies show other parts of training pictures, by seed, copy and position`() throws {
    let settings = Workshop.towers + ["copies=2"]
    let embeddings = try EmbeddingsArtifact(workshop.run(settings))
    let copies = try #require(try embeddings.imageCopies())
    #expect(copies.shape == [2, 5, Workshop.imageWidth])
    let rows = (0..<2).flatMap { copy in (0..<5).map { copies[copy][$0].floats } }
    #expect(rows[2].allSatisfy { $0 == 0 } && rows[7].allSatisfy { $0 == 0 })
    let shown = rows.indices.filter { $0 % 5 != 2 }.map { rows[$0] }
    #expect(Set(shown).count == shown.count)
    #expect(!shown.contains(embeddings.image[0].floats))
    let other = try EmbeddingsArtifact(workshop.run(settings + ["seed=1"], output: "other"))
    let others = try #require(try other.imageCopies())
    #expect(others.floats != copies.floats)
    #expect(other.image.floats == embeddings.image.floats)
    let whole = try EmbeddingsArtifact(workshop.run(settings + ["crop_area=1", "mirrored=0"], output: "unchanged"))
    let unchanged = try #require(try whole.imageCopies())
    #expect(unchanged[1][4].floats == whole.image[4].floats)
  }

  @Test func `sets of templates that published figures were made with have names`() throws {
    #expect(PromptTemplates.expanded(["openai_80"]).count == 80 && PromptTemplates.named("openai_7")?.count == 7)
    #expect(PromptTemplates.expanded(["a {}", "openai_7"]).prefix(2) == ["a {}", "itap of a {}."])
    #expect(PromptTemplates.names.flatMap { PromptTemplates.named($0)! }.allSatisfy { $0.contains("{}") })
  }

  @Test func `classes have words of their own, and templates either mark`() throws {
    let settings = Workshop.towers + ["classes={people: persons}", "templates=['a {}', '{c}!']"]
    let prompts = try EmbeddingsArtifact(workshop.run(settings)).description.prompts
    #expect(prompts?.sentences == ["a animals", "animals!", "a persons", "persons!"])
    let failure = #expect(throws: Failure.self) {
      try workshop.run(Workshop.towers + ["classes={peoples: persons}"], output: "other")
    }
    #expect(failure?.status == .badConfiguration)
    #expect(failure?.description.contains("'people'") == true)
  }

  @Test func `another size of pictures is scaled, and is another result`() throws {
    let embeddings = try EmbeddingsArtifact(workshop.run(Workshop.towers + ["image_size=24"]))
    #expect(embeddings.description.image.size == 24)
    let plain = try EmbeddingsArtifact(workshop.run(Workshop.towers, output: "plain"))
    #expect(embeddings.image.floats != plain.image.floats)
    #expect(embeddings.description.image.digest == plain.description.image.digest)
  }

  @Test(arguments: [
    [], ["image_tower=."], ["copies=1"], ["scale=2"], ["templates=[a]"], ["npy=[a, b]"],
    Workshop.towers + ["text_tokens=17"], Workshop.towers + ["text_tokens=2"],
  ]) func `settings that do not fit are refused`(_ settings: [String]) throws {
    let failure = #expect(throws: Failure.self) { try workshop.run(settings) }
    #expect([.badConfiguration, .usage].contains(failure?.status))
  }

  @Test func `a missing tower is named with the command that gets it`() throws {
    try workshop.folder.write("name: eyes\n", to: "data/eyes.yaml")
    let failure = #expect(throws: Failure.self) {
      try workshop.run(["image_tower=\(workshop.folder("data/cache/eyes"))", Workshop.towers[1]])
    }
    #expect(failure?.status == .missingInput)
    #expect(failure?.description.contains("scripts/fetch-data") == true)
  }
}
