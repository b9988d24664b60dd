import Diagnostics
import Files
import JSON

/// Turns sources into documents, one after the other.
struct CorpusReading<Receiver: DocumentReceiver<Split?>> {
  let field: FieldPath
  let format: TextFormat
  let receiver: Receiver
  /// Nil if irregularities are not collected.
  let findings: CorpusFindings?

  /// - Parameters:
  ///   - name: the source's name in findings.
  ///   - size: in bytes; nil if unknown.
  func read(_ source: any ByteSource, as container: TextContainer, _ split: Split?, name: String, size: Int?) throws {
    if container == .json { try readRecords(source, split) } else { try readText(source, split, name, size) }
  }

  private func readText(_ source: any ByteSource, _ split: Split?, _ name: String, _ size: Int?) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: FileReader.bufferSize, alignment: 64)
    defer { buffer.deallocate() }
    try receiver.begin(split)
    var inspection = findings.map { TextInspection(source.name, size: size, $0, looksForJSON: format == .auto) }
    while case let count = try source.read(into: buffer), count > 0 {
      try Interruption.check()
      let bytes = UnsafeBufferPointer(rebasing: buffer.bindMemory(to: UInt8.self)[..<count])
      try inspection?.add(bytes)
      try receiver.append(bytes)
    }
    try inspection?.finish(calling: name)
    try receiver.end()
  }

  private func readRecords(_ source: any ByteSource, _ split: Split?) throws {
    let otherwise = "--set format=text to read the file as text"
    var records = try JSONRecords(source, otherwise: otherwise)
    let isArray = records.isArray
    while let record = try records.next() {
      if isArray && record.json.objectValue == nil {
        throw Failure(
          .badData,
          "is \(record.json.kindName); an array has to hold objects with the field '\(field.name)' "
            + "(jq -c '.[] | {text: .}' FILE > NEW.jsonl makes them of texts), or \(otherwise)", at: record.place)
      }
      var (text, replacements): (String, Int)
      do {
        (text, replacements) = try field.text(in: record.json)
      } catch {
        throw Failure(.badData, error.reason, at: record.place)
      }
      if replacements > 0 { findings?.noteSurrogates(replacements, at: record.place) }
      try receiver.begin(split)
      try text.withUTF8 { try receiver.append($0) }
      try receiver.end()
    }
  }
}

/// Inspects a text while it is read.
private struct TextInspection {
  private let place: String
  private let size: Int?
  private let findings: CorpusFindings
  private let looksForJSON: Bool
  private var tally = UTF8Tally()

  init(_ place: String, size: Int?, _ findings: CorpusFindings, looksForJSON: Bool) {
    self.place = place
    self.size = size
    self.findings = findings
    self.looksForJSON = looksForJSON
  }

  mutating func add(_ bytes: UnsafeBufferPointer<UInt8>) throws {
    if tally.bytes == 0 {
      if let problem = TextCheck.problem(ofBeginning: bytes) { throw Failure(.badData, problem, at: place) }
      if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { findings.noteMark(place) }
      if looksForJSON && Self.beginsWithRecord(bytes) { findings.noteLikeJSON(place) }
    }
    tally.add(bytes)
    // With a known size, too many invalid bytes can be certain long before the end.
    if let size { try check(ofSize: max(size, tally.bytes)) }
  }

  /// - Parameter name: the text's name in findings.
  mutating func finish(calling name: String) throws {
    tally.finish()
    try check(ofSize: tally.bytes)
    guard tally.invalid > 0 else { return }
    findings.noteInvalid(
      CorpusFindings.Invalid(
        name: name, size: tally.bytes, bytes: tally.invalid, replacements: tally.replacements,
        guess: TextCheck.guess(tally)))
  }

  private func check(ofSize size: Int) throws {
    if let problem = TextCheck.problem(tally, ofSize: size) { throw Failure(.badData, problem, at: place) }
  }

  /// Whether the first line is a JSON object, and another line follows.
  private static func beginsWithRecord(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
    guard bytes.first == UInt8(ascii: "{"), line.count < bytes.count else { return false }
    return (try? JSON(parsing: line, source: ""))?.objectValue?.isEmpty == false
  }
}
