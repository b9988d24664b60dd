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
import TemperatureSettings
import TestSupport
import Testing
import Torch
import Weights

@testable import FeaturesStage

/// Features of embeddings against `Fixtures/anchors.json`, which NumPy computed by their definition.
@Suite struct AnchorFeaturesTests {
  private let folder: TemporaryFolder
  private let fixture: JSON

  init() throws {
    folder = try TemporaryFolder()
    let path = checkout("Tests/Stages/FeaturesStage/Fixtures/anchors.json")
    fixture = try JSON(parsing: Files.read(path), source: path)
  }

  private func list(_ name: String) throws -> [JSON] { try #require(fixture[name]?.arrayValue) }

  private func rows(_ name: String) throws -> Tensor {
    let rows = try list(name).map { try #require($0.arrayValue).map { Float($0.doubleValue!) } }
    return Tensor(rows.flatMap { $0 }, shape: [rows.count, rows[0].count])
  }

  private func table() throws -> PairTable {
    var table = PairTable()
    let words = try list("words").map { $0.stringValue! }
    let counts = try list("captions").map { $0.intValue! }
    for (position, split) in try list("splits").enumerated() {
      let captions = table.captions.count..<table.captions.count + counts[position]
      table.captions += captions.map {
        PairTable.Caption(words[$0], picture: position, group: words.firstIndex(of: words[$0])!)
      }
      table.pictures.append(
        PairTable.Picture(
          source: "fixture", member: "\(position)", split: PairSplit(split.stringValue!),
          group: try list("groups")[position].intValue!, captions: captions))
    }
    return table
  }

  private func embeddings(
    _ space: EmbeddingSpace? = nil, output: String = "embeddings", _ change: (inout PairTable) -> Void = { _ in }
  ) throws -> Artifact {
    let identity = StageIdentity(
      program: "tempnet-embed", stage: "embed", stageVersion: 1, kind: .embeddings, configuration: [:], inputs: [])
    let builder = try ArtifactBuilder(output: folder(output), identity: identity)
    let (image, text) = (try rows("pictures"), try rows("texts"))
    let scale = try #require(fixture["scale"]?.doubleValue)
    let description = EmbeddingsDescription(
      space ?? .joint(LogitScale(scale, from: .given)), image: TowerRecord("eyes", width: image.size(1)),
      text: TowerRecord("words", width: text.size(1)))
    var table = try table()
    change(&table)
    try EmbeddingsArtifact.write(builder, table, description, image: image, text: text)
    return try builder.publish(summary: [:])
  }

  @discardableResult
  private func run(
    _ embeddings: Artifact, _ settings: [String], output: String = "features",
    isInterrupted: () throws -> Bool = { false }
  ) throws -> Artifact {
    let configuration = try FeaturesConfiguration.resolve(
      file: nil,
      overrides: (["device=cpu", "threads=1", "tau_min=0.25", "tau_max=4"] + settings)
        .map(ConfigurationOverride.init(parsing:)))
    return try FeaturesStage.run(
      StageRequest(
        configuration, inputs: ["embeddings": [embeddings.path]], output: folder(output), digests: FileDigests()),
      isInterrupted: isInterrupted)
  }

  @Test(
    arguments: EmbeddingSide.allCases, [(setting: "split", expected: "expected"), (setting: "all", expected: "joined")])
  func `rows are what NumPy computes by their definition, groups of equals left out`(
    side: EmbeddingSide, candidates: (setting: String, expected: String)
  ) throws {
    let artifact = try run(embeddings(), ["side=\(side)", "candidates=\(candidates.setting)"])
    let inputs = try rows(side == .image ? "pictures" : "texts")
    for split in ["train", "validation"] {
      let file = try SafetensorsFile(artifact.file("\(split).safetensors"))
      let expected = try #require(fixture[candidates.expected]?["\(side)/\(split)"]?.arrayValue)
      func integers(_ name: String) throws -> [Int] {
        try Tensor(file.entry(name, type: .int32)).integers.map(Int.init)
      }
      for name in ["position", "alternatives", "label"] {
        #expect(try integers(name) == expected.map { $0[name]!.intValue! }, "\(split) \(name)")
      }
      for name in ["maximum", "mean", "label_logit"] {
        try expect(file, name, expected.map { $0[name]!.doubleValue! })
      }
      for (index, name) in ["value", "entropy", "variance"].enumerated() {
        try expect(
          file, "profile.\(name)",
          expected.flatMap { $0["profile"]!.arrayValue!.map { $0.arrayValue![index].doubleValue! } })
      }
      let anchors = inputs.selected(0, indices: Tensor(try integers("position")))
      #expect(try Tensor(file.entry("hidden")).floats == anchors.floats)
    }
    let description = try FeaturesArtifact(artifact).description()
    guard case .anchors(let anchors) = description else {
      Issue.record("\(description)")
      return
    }
    #expect(anchors.kind.rawValue == "\(side)s")
    #expect(anchors.scale == fixture["scale"]?.doubleValue)
    #expect(anchors.interpolationError.entropy < 2e-3)
    #expect(anchors.interpolationError.loss < 2e-4)
  }

  private func expect(_ file: SafetensorsFile, _ name: String, _ expected: [Double]) throws {
    let found = try Tensor(file.entry(name, type: .float32)).doubles
    #expect(found.count == expected.count)
    for (found, expected) in zip(found, expected) {
      #expect(abs(found - expected) < 2e-6 * max(1, abs(expected)), "\(name): \(found) instead of \(expected)")
    }
  }

  @Test func `titles alone are candidates where that is asked for`() throws {
    let artifact = try run(embeddings(), ["side=image", "captions=titles"])
    let file = try SafetensorsFile(artifact.file("train.safetensors"))
    // Of nine pictures; picture 2 equals picture 5, whose title differs, and stands for both.
    let titles = Set([0, 1, 3, 4, 5, 7, 8, 9, 11].map { try? list("words")[$0].stringValue })
    let alternatives = try Tensor(file.entry("alternatives")).integers.map(Int.init)
    #expect(alternatives[0] == titles.count - 1)
    #expect(alternatives[2] == titles.count - 2)
  }

  private func positions(_ artifact: Artifact, _ part: String) throws -> Set<Int64> {
    Set(try Tensor(SafetensorsFile(artifact.file("\(part).safetensors")).entry("position")).integers)
  }

  @Test func `held-out anchors are whole clusters of the split that the fit learns from`() throws {
    let embeddings = try embeddings()
    let all = try positions(run(embeddings, ["side=text"], output: "whole"), "train")
    let artifact = try run(embeddings, ["side=text", "held_out=0.4"])
    let (fit, held) = (try positions(artifact, "train"), try positions(artifact, "validation"))
    #expect(fit.isDisjoint(with: held) && fit.union(held) == all)
    #expect(!held.isEmpty && held.count <= 4)
    // A picture's captions, and captions of equal pictures, are one cluster.
    let table = try table()
    func pictures(_ captions: Set<Int64>) -> Set<Int> {
      Set(captions.map { table.pictures[table.captions[Int($0)].picture].group })
    }
    #expect(pictures(fit).isDisjoint(with: pictures(held)))
  }

  @Test func `validation anchors are those that no training caption equals`() throws {
    let table = try table()
    let trained = Set(table.captions(of: .train).map { table.captions[$0].group })
    for candidates in ["split", "all"] {
      let artifact = try run(
        embeddings(output: "embeddings-\(candidates)"),
        ["side=text", "anchors=validation", "held_out=0.5", "candidates=\(candidates)"], output: candidates)
      let all = try positions(artifact, "train").union(positions(artifact, "validation"))
      let new = table.captions(of: .validation).map { table.captions[$0].group }.filter { !trained.contains($0) }
      #expect(all == Set(new.map(Int64.init)))
    }
  }

  @Test func `stopped after a split and continued, it writes the same bytes`() throws {
    let embeddings = try embeddings()
    let whole = try contents(run(embeddings, ["side=text"]).path)
    #expect(throws: Failure.self) { try run(embeddings, ["side=text"], output: "parts", isInterrupted: { true }) }
    #expect(try contents(run(embeddings, ["side=text"], output: "parts").path) == whole)
  }

  @Test func `spaces apart and splits that are too small are refused with the reason`() throws {
    let apart = #expect(throws: Failure.self) { try run(embeddings(.apart), ["side=image"]) }
    #expect(apart?.status == .badData)
    #expect(apart?.message.contains("two spaces apart") == true)
    let small = try embeddings(output: "small") { table in
      for position in table.pictures.indices.dropLast(1) { table.pictures[position].split = .train }
    }
    let few = #expect(throws: Failure.self) { try run(small, ["side=image"]) }
    #expect(few?.status == .badData)
    #expect(few?.message.contains("the validation split has") == true, "\(few as Any)")
  }

  @Test(arguments: [
    (["side=image", "window=16"], "window"), (["side=text", "train_tokens=5"], "train_tokens"),
    (["captions=titles"], "captions"),
  ])
  func `settings of the other kind of rows are refused`(_ settings: [String], _ key: String) throws {
    let failure = #expect(throws: Failure.self) { try run(embeddings(), settings) }
    #expect(failure?.status == .badConfiguration)
    #expect(failure?.description.contains(key) == true)
  }

  @Test func `the side belongs to embeddings, and embeddings need a side`() throws {
    let embeddings = try embeddings()
    let failure = #expect(throws: Failure.self) { try run(embeddings, []) }
    #expect(failure?.status == .badConfiguration)
    #expect(failure?.message.contains("side: image or text") == true)
    let keys = try ["image", "text"].map { try run(embeddings, ["side=\($0)"], output: $0).key }
    #expect(keys[0] != keys[1])
  }
}
