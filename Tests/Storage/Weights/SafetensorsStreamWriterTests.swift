import Diagnostics
import Files
import Foundation
import TestSupport
import Testing
import Torch
import Weights

struct SafetensorsStreamWriterTests {
  private let folder = try! TemporaryFolder()

  private let tensors = [
    TensorDescription("hidden", .float32, [4, 3]), TensorDescription("label", .int32, [4]),
    TensorDescription("total", .float32, []),
  ]
  private let hidden = (0..<12).map { Float($0) * 0.5 }
  private let labels: [Int32] = [5, 6, 7, 8]

  @Test func `rows in pieces give the same bytes as one write`() throws {
    let (streamed, whole) = (folder("streamed"), folder("whole"))
    let writer = try SafetensorsStreamWriter(creating: streamed, tensors: tensors, metadata: ["a": "b"])
    try writer.write(rows: Array(labels[2...]), of: "label", at: 2)
    try writer.write(rows: Array(hidden[..<3]), of: "hidden", at: 0)
    try writer.write(rows: Tensor(Array(hidden[3...]), shape: [3, 3]), of: "hidden", at: 1)
    try writer.write(rows: [9 as Float], of: "total", at: 0)
    try writer.write(rows: Array(labels[..<2]), of: "label", at: 0)
    try writer.finish()
    try SafetensorsWriter.write(
      [
        StoredTensor("hidden", hidden, [4, 3]), StoredTensor("label", labels, [4]),
        StoredTensor("total", [9 as Float], []),
      ], metadata: ["a": "b"], to: whole)
    #expect(try Files.read(streamed) == Files.read(whole))
  }

  @Test func `continues where an interrupted run stopped`() throws {
    let path = folder("features")
    let first = try SafetensorsStreamWriter(creating: path, tensors: tensors)
    try first.write(rows: Array(hidden[..<6]), of: "hidden", at: 0)
    try first.synchronise()
    let second = try SafetensorsStreamWriter(continuing: path, tensors: tensors)
    try second.write(rows: Array(hidden[6...]), of: "hidden", at: 2)
    try second.finish()
    #expect(try SafetensorsFile(path).entry("hidden").floats() == hidden)
    #expect(try SafetensorsFile(path).entry("label").integers() == [0, 0, 0, 0])
  }

  @Test func `refuses to continue a file of other tensors`() throws {
    let path = folder("features")
    try SafetensorsStreamWriter(creating: path, tensors: tensors).finish()
    let failure = #expect(throws: Failure.self) {
      try SafetensorsStreamWriter(continuing: path, tensors: Array(tensors.dropLast()))
    }
    #expect(failure?.status == .badData)
    try Files.read(path).dropLast().withUnsafeBytes { try Data($0).write(to: URL(filePath: path)) }
    #expect(throws: Failure.self) { try SafetensorsStreamWriter(continuing: path, tensors: tensors) }
  }
}
