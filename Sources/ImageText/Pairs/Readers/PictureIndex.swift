import Diagnostics
import Files
import JSON

/// The pictures that a file of records or a table names, in the order of their first mention. Lines about one picture are
/// joined: several captions of a picture often stand in as many lines.
struct PictureIndex {
  struct Entry {
    /// As the file names it.
    let file: String
    /// The line of the first mention.
    let place: String
    var description: PairDescription
  }

  private(set) var entries: [Entry] = []
  /// Lines that name no picture.
  private(set) var leftOut: [PairsArtifact.LeftOut] = []
  private var positions: [String: Int] = [:]
  private let fields: PairFields
  private let source: String
  /// Before the names, with a slash; empty for none.
  private var prefix = ""

  init(_ fields: PairFields, source: String) { (self.fields, self.source) = (fields, source) }

  subscript(file: String) -> Entry? { positions[file].map { entries[$0] } }

  mutating func add(_ record: JSON, place: String) {
    guard let object = record.objectValue else { return leaveOut(place, "is \(record.kindName), not an object") }
    guard let name = fields.image(of: object) else {
      // Without quotation marks, so that the list of reasons keeps the names.
      let usual = PairFields.usualImages.joined(separator: ", ")
      return leaveOut(place, "names no picture (in \(fields.image ?? "one of \(usual); fields.image names another"))")
    }
    let file = prefix + name
    var description = fields.description(of: object)
    description.split = description.split ?? PairSplit.stated(by: file)
    if let position = positions[file] {
      entries[position].description.add(description)
    } else {
      positions[file] = entries.count
      entries.append(Entry(file: file, place: place, description: description))
    }
  }

  mutating func leaveOut(_ place: String, _ reason: String) {
    leftOut.append(PairsArtifact.LeftOut(source: source, member: place, reason: reason))
  }

  /// Adds the lines of `metadata.jsonl` or the rows of `metadata.csv`; names in them are relative to their folder.
  mutating func add(metadata file: any ByteSource, name: String) throws {
    let folder = Files.folder(of: name)
    prefix = folder == "." ? "" : "\(folder)/"
    defer { prefix = "" }
    if PairForm(ofName: name) == .table {
      try add(tableIn: file, name: name, separator: nil)
    } else {
      try add(recordsOf: file, name: name)
    }
  }

  /// Adds all records of JSON lines, an array, or the array `images` of one object (Karpathy's files).
  mutating func add(recordsOf file: any ByteSource, name: String) throws {
    var records = try JSONRecords(file, member: "images")
    while let record = try records.next() { add(record.json, place: Self.place(record.place, file.name, name)) }
  }

  /// Adds all rows of a table.
  ///
  /// - Throws: `Failure(.badData)` for a table without a column of pictures, or without one that `fields` names.
  mutating func add(tableIn file: any ByteSource, name: String, separator: UInt8?) throws {
    var table = try TableReader(file, separator: separator)
    if let problem = fields.problem(withColumns: table.header) { throw Failure(.badData, problem, at: file.name) }
    while let row = try table.next() {
      switch row.fields {
      case .success(let object): add(.object(object), place: "\(name), line \(row.line)")
      case .failure(let reason): leaveOut("\(name), line \(row.line)", reason.text)
      }
    }
  }

  /// The place of a record without the path of its file.
  private static func place(_ place: String, _ path: String, _ name: String) -> String {
    place.hasPrefix(path) ? name + place.dropFirst(path.count) : place
  }
}
