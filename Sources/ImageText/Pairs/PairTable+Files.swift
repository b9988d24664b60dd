import Artifacts
import Diagnostics
import Files
import JSON

extension PairTable {
  /// The files of a table, in artifacts of the kinds `pairs` and `embeddings`.
  public static let picturesFile = "pictures.jsonl"
  public static let captionsFile = "captions.jsonl"
  public static let classesFile = "classes.json"

  /// Reads the table of an artifact.
  ///
  /// - Throws: `Failure(.badData)` with file and line where a record is not as `FORMAT.md` describes it: a position
  ///   beyond the table, a caption of another picture, a group that begins after its member, a picture without caption.
  public init(_ artifact: Artifact) throws {
    self.init()
    classes = try Self.readClasses(artifact.file(Self.classesFile))
    try readPictures(artifact.file(Self.picturesFile))
    try readCaptions(artifact.file(Self.captionsFile))
  }

  /// Writes the table into an artifact.
  public func write(_ builder: ArtifactBuilder) throws {
    try AtomicFile.write(
      JSON.array(classes.map(JSON.string)).compact + "\n", to: builder.path(for: Self.classesFile))
    let pictureFile = try FileWriter(builder.path(for: Self.picturesFile))
    for picture in pictures { try pictureFile.write(picture.json.compact + "\n") }
    try pictureFile.close()
    let captionFile = try FileWriter(builder.path(for: Self.captionsFile))
    for caption in captions { try captionFile.write(caption.json.compact + "\n") }
    try captionFile.close()
  }

  private static func readClasses(_ path: String) throws -> [String] {
    let json = try JSON(parsing: Files.read(path), source: path, for: .strict)
    let names = json.arrayValue?.compactMap(\.stringValue)
    guard let names, names.count == json.arrayValue?.count, Set(names).count == names.count else {
      throw Failure(.badData, "is no list of different names", at: path)
    }
    return names
  }

  private mutating func readPictures(_ path: String) throws {
    var records = try JSONRecords(FileReader(path))
    var captions = 0
    while let record = try records.next() {
      let picture = try Picture(record, captions: captions, position: pictures.count, classes: classes.count)
      captions = picture.captions.upperBound
      pictures.append(picture)
    }
    for (position, picture) in pictures.enumerated() where pictures[picture.group].group != picture.group {
      throw Failure(.badData, "the group of picture \(position) is no group's first picture", at: path)
    }
  }

  private mutating func readCaptions(_ path: String) throws {
    var records = try JSONRecords(FileReader(path))
    var owners = pictures.enumerated().lazy.flatMap { position, picture in
      repeatElement(position, count: picture.captions.count)
    }.makeIterator()
    while let record = try records.next() {
      let caption = try Caption(record, position: captions.count)
      guard owners.next() == caption.picture else {
        throw Failure(
          .badData, "is not a caption of picture \(caption.picture) by the table of pictures", at: record.place)
      }
      captions.append(caption)
    }
    guard owners.next() == nil else { throw Failure(.badData, "has fewer captions than the pictures state", at: path) }
    for (position, caption) in captions.enumerated() where captions[caption.group].group != caption.group {
      throw Failure(.badData, "the group of caption \(position) is no group's first caption", at: path)
    }
  }
}

extension PairTable.Picture {
  var json: JSON {
    var object = JSONObject()
    object["source"] = .string(source)
    object["member"] = .string(member)
    object["concept"] = concept.map(JSON.string)
    object["style"] = style.map(JSON.string)
    object["label"] = label.map(JSON.integer)
    object["licence"] = licence.map(JSON.string)
    object["free"] = .bool(isFree)
    object["split"] = .string(split.name)
    object["group"] = .integer(group)
    object["captions"] = .integer(captions.count)
    return .object(object)
  }

  fileprivate init(_ record: JSONRecords.Record, captions: Int, position: Int, classes: Int) throws {
    var fields = try JSONFields(record.json, source: record.place)
    source = try fields.string("source")
    member = try fields.string("member")
    concept = try fields.optionalString("concept")
    style = try fields.optionalString("style")
    label = try fields.optionalInteger("label")
    licence = try fields.optionalString("licence")
    isFree = try fields.boolean("free")
    split = PairSplit(try fields.string("split"))
    group = try fields.integer("group")
    let count = try fields.integer("captions")
    try fields.finish()
    guard split.name.isPlainName else { throw fields.failure("split", String.plainNameRule) }
    guard label.map((0..<classes).contains) ?? true else {
      throw fields.failure("label", "there are \(classes) classes")
    }
    guard (0...position).contains(group) else { throw fields.failure("group", "must be 0 to \(position)") }
    guard (1...1 << 20).contains(count) else { throw fields.failure("captions", "must be 1 to \(1 << 20)") }
    self.captions = captions..<captions + count
  }
}

extension PairTable.Caption {
  var json: JSON {
    ["text": .string(text), "picture": .integer(picture), "group": .integer(group)]
  }

  fileprivate init(_ record: JSONRecords.Record, position: Int) throws {
    var fields = try JSONFields(record.json, source: record.place)
    text = try fields.string("text")
    picture = try fields.integer("picture")
    group = try fields.integer("group")
    try fields.finish()
    guard (0...position).contains(group) else { throw fields.failure("group", "must be 0 to \(position)") }
  }
}
