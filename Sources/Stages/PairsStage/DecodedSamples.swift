import Artifacts
import Diagnostics
import Files
import JSON
import Pairs

/// The samples that were decoded so far, among the checkpoints.
///
///     rows.rgb        the pixels of those that can be used, size x size x 3 bytes each
///     samples.jsonl   a line for each sample, with the number of its chunk
final class DecodedSamples {
  let folder: String
  /// How many samples there are, usable or not.
  private(set) var count = 0
  private(set) var pictures = 0
  private let rowSize: Int
  private var rows: FileWriter?
  private var lines: FileWriter?

  private var rowPath: String { "\(folder)/rows.rgb" }
  private var linePath: String { "\(folder)/samples.jsonl" }

  init(_ folder: String, size: Int) throws {
    self.folder = folder
    rowSize = size * size * 3
  }

  /// Goes on behind the chunks that an earlier run has finished.
  func restore(chunks: Int) throws {
    guard chunks > 0 else {
      (rows, lines) = (try FileWriter(rowPath), try FileWriter(linePath))
      return
    }
    var length = 0
    var last = -1
    var reader = LineReader(try FileReader(linePath))
    // A line behind the finished chunks may be cut short.
    while let line = try reader.next(), let chunk = SampleRecord.chunk(of: line), chunk < chunks {
      let record = try SampleRecord(line, at: "\(linePath), line \(reader.number)")
      count += 1
      if case .picture = record { pictures += 1 }
      length += line.count + 1
      last = chunk
    }
    guard last == chunks - 1 else {
      throw Failure(.badData, "ends in chunk \(last), of \(chunks) that were saved", at: linePath)
        .ofUnfinishedWork(in: Files.folder(of: folder))
    }
    rows = try FileWriter(continuing: rowPath, after: pictures * rowSize)
    lines = try FileWriter(continuing: linePath, after: length)
  }

  func append(_ samples: [DecodedSample], chunk: Int) throws {
    for sample in samples {
      if case .picture(_, let pixels) = sample {
        try rows!.write(pixels)
        pictures += 1
      }
      try lines!.write(SampleRecord.json(sample, chunk: chunk).compact + "\n")
      count += 1
    }
  }

  func synchronise() throws {
    try rows?.synchronise()
    try lines?.synchronise()
  }

  func close() throws {
    try rows?.close()
    try lines?.close()
    (rows, lines) = (nil, nil)
  }

  /// The samples in order.
  func records() throws -> SampleRecords { SampleRecords(try FileReader(linePath)) }

  /// The pixels, in the order of the samples that have some.
  func pixels() throws -> PixelRows { PixelRows(try FileReader(rowPath), rowSize: rowSize) }
}

/// Reads samples one after the other.
struct SampleRecords {
  private let path: String
  private var lines: LineReader

  init(_ file: FileReader) { (path, lines) = (file.name, LineReader(file)) }

  mutating func next() throws -> SampleRecord? {
    try Interruption.check()
    guard let line = try lines.next() else { return nil }
    return try SampleRecord(line, at: "\(path), line \(lines.number)")
  }
}

/// Reads rows of pixels one after the other.
struct PixelRows {
  private let file: FileReader
  private let rowSize: Int

  init(_ file: FileReader, rowSize: Int) { (self.file, self.rowSize) = (file, rowSize) }

  func next() throws -> [UInt8] {
    var row: [UInt8] = []
    row.reserveCapacity(rowSize)
    while row.count < rowSize {
      let piece = try file.read(upTo: rowSize - row.count)
      guard !piece.isEmpty else { throw Failure(.badData, "is shorter than its samples say", at: file.name) }
      row += piece
    }
    return row
  }
}
