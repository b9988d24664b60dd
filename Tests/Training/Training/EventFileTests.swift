import Diagnostics
import Files
import Foundation
import JSON
import TestSupport
import Testing
import WireFormats

@testable import Training

@Suite struct EventFileTests {
  /// Check values of RFC 3720, B.4.
  @Test func `the checksum is Castagnoli's CRC-32`() {
    #expect(CRC32C.checksum(Array(repeating: 0 as UInt8, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum(Array(repeating: 0xFF as UInt8, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum(Array(0..<32 as Range<UInt8>)) == 0x46DD_794E)
  }

  @Test func `a file cut back and continued equals one written at once`() throws {
    let folder = try TemporaryFolder()
    let whole = try EventFile("\(folder.path)/whole", continuingAfter: nil)
    try whole.write(step: 1, [("a", 1)])
    try whole.write(step: 2, [("a", 2)])
    try whole.close()
    let first = try EventFile("\(folder.path)/parts", continuingAfter: nil)
    try first.write(step: 1, [("a", 1)])
    let length = first.length
    try first.write(step: 2, [("a", -7), ("b", 3)])
    try first.close()
    let second = try EventFile("\(folder.path)/parts", continuingAfter: length)
    try second.write(step: 2, [("a", 2)])
    try second.close()
    #expect(try Files.read("\(folder.path)/parts") == Files.read("\(folder.path)/whole"))
  }

  @Test(.enabled(if: python != nil || slowTestsEnabled))
  func `TensorBoard reads steps, tags and values`() throws {
    let python = try #require(python, "TEMPNET_PYTHON names no interpreter; scripts/test --all sets it")
    let folder = try TemporaryFolder()
    let files = try folder.files()
    let log = try TrainingLog(files, continuingAfter: nil)
    for step in [10, 300, 70_000] {
      try log.write(step: step, [("training", ["loss": 1 / Double(step)]), ("rate", ["model": 0.5, "tempnet": -2])])
    }
    try log.close()
    let script = """
      import json, sys
      from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
      events = EventAccumulator(sys.argv[1])
      events.Reload()
      tags = sorted(events.Tags()["scalars"])
      print(json.dumps({tag: [[e.step, e.value, e.wall_time] for e in events.Scalars(tag)] for tag in tags}))
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = ["-c", script, files.events]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let read = try JSON(parsing: Array(text), source: "python")
    #expect(read.objectValue.map { Array($0.keys) } == ["rate/model", "rate/tempnet", "training/loss"])
    let losses = try #require(read["training/loss"]?.arrayValue).compactMap { $0.arrayValue?.compactMap(\.doubleValue) }
    #expect(losses.map { $0[0] } == [10, 300, 70_000] && losses.map { $0[2] } == [10, 300, 70_000])
    for (value, step) in zip(losses.map { $0[1] }, [10.0, 300, 70_000]) { #expect(Float(value) == Float(1 / step)) }
    #expect(read["rate/tempnet"]?[at: 1] == -2)
  }
}

extension JSON {
  fileprivate subscript(at index: Int) -> Double? { arrayValue?[index].arrayValue?[1].doubleValue }
}
