import Artifacts
import Diagnostics
import EncoderDescriptions
import Files
import Pairs
import TestSupport
import Testing
import Torch
import Weights

@testable import ImageTextModels

@Suite struct EmbeddingsArtifactTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let table = PairTable(
    pictures: [
      PairTable.Picture(source: "a", member: "a.png", label: 0, split: .train, group: 0, captions: 0..<2),
      PairTable.Picture(source: "a", member: "b.png", split: .validation, group: 1, captions: 2..<3),
    ],
    captions: [
      PairTable.Caption("one", picture: 0, group: 0), PairTable.Caption("two", picture: 0, group: 1),
      PairTable.Caption("three", picture: 1, group: 2),
    ], classes: ["signs", "people"])
  private static let prompts = EmbeddingsDescription.Prompts(
    classes: ["a sign", "people"], templates: ["a picture of {}", "{c}, drawn"])
  static let joint = EmbeddingsDescription(
    .joint(LogitScale(20, from: .fixed)), image: TowerRecord("eyes", digest: "12", size: 64, width: 3),
    text: TowerRecord("words", width: 3), prompts: prompts)
  static let image = Tensor([1, 0, 0, 0.6, 0.8, 0] as [Float], shape: [2, 3])
  private static let text = Tensor([1, 0, 0, 0, 1, 0, 0, 0, 1] as [Float], shape: [3, 3])
  private static let copies = Tensor([1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0] as [Float], shape: [2, 2, 3])
  private static let classText = Tensor([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0] as [Float], shape: [4, 3])

  private func artifact(_ description: EmbeddingsDescription = joint, image: Tensor = image) throws -> Artifact {
    try Self.artifact(at: folder("embeddings"), description, image: image)
  }

  static func artifact(
    at path: String, _ description: EmbeddingsDescription = joint, image: Tensor = image
  ) throws -> Artifact {
    let identity = StageIdentity(
      program: "tempnet-embed", stage: "embed", stageVersion: 1, kind: .embeddings, configuration: [:], inputs: [])
    let builder = try ArtifactBuilder(output: path, identity: identity)
    try EmbeddingsArtifact.write(
      builder, table, description, image: image, text: text, imageCopies: copies,
      classText: description.prompts == nil ? nil : classText)
    return try builder.publish(summary: [:])
  }

  @Test func `is read as it was written`() throws {
    let read = try EmbeddingsArtifact(artifact())
    #expect(read.table == Self.table)
    #expect(read.description == Self.joint)
    #expect(read.scale == 20)
    #expect(read.image.floats == Self.image.floats)
    #expect(read.text.floats == Self.text.floats)
    #expect(read.classText?.floats == Self.classText.floats)
    let copies = try #require(try read.imageCopies())
    #expect(copies.shape == [2, 2, 3])
    #expect(copies.floats == Self.copies.floats)
  }

  @Test func `spaces apart have widths and lengths of their own`() throws {
    let description = EmbeddingsDescription(
      .apart, image: TowerRecord("eyes", width: 3), text: TowerRecord("words", width: 3))
    let read = try EmbeddingsArtifact(artifact(description, image: Self.image * 7))
    #expect(read.space == .apart)
    #expect(read.scale == nil)
    #expect(read.classText == nil)
  }

  @Test func `a row of another length than 1 is refused in a joint space`() throws {
    let artifact = try artifact(image: Self.image * 1.01)
    let failure = #expect(throws: Failure.self) { try EmbeddingsArtifact(artifact) }
    #expect(failure?.status == .badData)
    #expect(failure?.description.contains("\"image\"") == true)
  }

  @Test func `a number that is not finite is refused`() throws {
    let artifact = try artifact(image: Tensor([1, 0, 0, 0, .nan, 0] as [Float], shape: [2, 3]))
    #expect(throws: Failure.self) { try EmbeddingsArtifact(artifact) }
  }

  @Test(arguments: [
    ("\"scale\": 20", "\"scale\": -1", "scale"), ("\"width\": 3", "\"width\": 4", "width"),
    ("\"joint\"", "\"bent\"", "space"), ("a picture of {}", "a picture", "templates"),
    ("\"a sign\",", "", "classes"), ("\"fixed\"", "\"guessed\"", "scale_from"),
  ]) func `a description that does not fit is refused`(_ part: String, _ damage: String, _ word: String) throws {
    let artifact = try artifact()
    let path = try artifact.file(EmbeddingsArtifact.descriptionFile)
    let whole = try TestSupport.text(path)
    let damaged = whole.replacing(part, with: damage, maxReplacements: 1)
    try #require(damaged != whole)
    try AtomicFile.write(damaged, to: path)
    let failure = #expect(throws: Failure.self) { try EmbeddingsArtifact(artifact) }
    #expect(failure?.status == .badData)
    #expect(failure?.description.contains(word) == true)
  }

  @Test(arguments: [
    ["text": [3, 3]], ["image": [3, 3], "text": [3, 3]], ["image": [2, 2], "text": [3, 3]],
    ["image": [2, 3], "text": [3, 3]],
    ["image": [2, 3], "text": [3, 3], "image_copies": [3, 3], "class_text": [4, 3]],
  ]) func `rows that do not match the table are refused`(_ shapes: [String: [Int]]) throws {
    let artifact = try artifact()
    let tensors = shapes.sorted { $0.key < $1.key }.map { (name: $0.key, tensor: Tensor.ones($0.value).unitRows()) }
    try SafetensorsWriter.write(tensors, to: try artifact.file(EmbeddingsArtifact.file))
    let failure = #expect(throws: Failure.self) { try EmbeddingsArtifact(artifact) }
    #expect(failure?.status == .badData)
  }

  @Test func `sentences of classes follow one another class by class`() {
    #expect(
      Self.prompts.sentences == [
        "a picture of a sign", "a sign, drawn", "a picture of people", "people, drawn",
      ])
  }
}
