import Artifacts
import Diagnostics
import Files
import JSON
import TempNet
import TemperatureSettings
import Tokenization
import Torch
import Training

/// A `records` artifact, opened for reading.
public struct RecordsArtifact {
  public let artifact: Artifact
  public let description: RecordsDescription
  public let validation: any TextRecordPasses
  public let test: any TextRecordPasses
  public let tasks: [(task: ScoredTask, passes: any TaskRecordPasses)]

  /// - Throws: `.badData` with the file and its fault.
  public init(_ artifact: Artifact, device: Device) throws {
    self.artifact = artifact
    let path = try artifact.file(RecordsDescription.file)
    let (description, tasks) = try RecordsDescription.read(
      try JSON(parsing: Files.read(path), source: path, for: .strict), source: path)
    self.description = description
    let width = description.hasHidden ? description.width : nil
    func table(_ name: String) throws -> RecordFile {
      try RecordFile(
        artifact.file(name), grid: description.grid, vocabulary: description.vocabulary, width: width, device: device)
    }
    validation = try table("\(Split.validation.rawValue).safetensors")
    let test = try table("\(Split.test.rawValue).safetensors")
    guard try test.rows == description.extent.tokens else {
      throw Failure(.badData, "states another number of test tokens than its table has rows", at: path)
    }
    self.test = test
    self.tasks = try tasks.map { fields in
      var fields = fields
      let task = try ScoredTask(&fields) { try artifact.file($0) }
      return (task, TaskRecordFile(table: try table(ScoredTask.recordsName(task.description.name)), task: task))
    }
  }

  /// The unembedding; nil where hidden states were dropped.
  public func head(on device: Device) throws -> Head? {
    guard description.hasHidden else { return nil }
    let head = try FeaturesArtifact(artifact).head(on: device)
    guard head.vocabulary == description.vocabulary, head.width == description.width else {
      throw Failure(.badData, "has another shape than the records have hidden states and vocabulary", at: head.place)
    }
    return head
  }

  public var ownTempNet: String? { get throws { try optional(TempNetFile.name) } }
  public var history: String? { get throws { try optional(TrainingFiles.metricsName) } }

  private func optional(_ name: String) throws -> String? { artifact.contains(name) ? try artifact.file(name) : nil }
}

/// A task's table.
private struct TaskRecordFile: TaskRecordPasses {
  let table: RecordFile
  let task: ScoredTask

  var offsets: [Int] { table.offsets }
  func records(ofPass index: Int) throws -> TokenRecords { try table.records(ofPass: index) }

  func sequences(ofPass index: Int) throws -> [Int] {
    let sequences = try table.integers("sequence", ofPass: index)
    guard sequences.allSatisfy({ (0..<task.sequenceCount).contains($0) }) else {
      throw Failure(.badData, "names a sequence that no request has", at: ScoredTask.recordsName(task.description.name))
    }
    return sequences
  }
}
