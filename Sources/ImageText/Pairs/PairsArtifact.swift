import Artifacts
import Diagnostics
import Files
import JSON
import WireFormats

/// The result of `tempnet-pairs`: pictures of one size and their captions.
public struct PairsArtifact: Sendable {
  public let table: PairTable
  /// The side of every picture, in pixels.
  public let size: Int
  public let path: String
  private let file: MappedFile
  /// Where the first picture begins in the file.
  private let offset: Int

  /// NumPy's array uint8 [pictures, size, size, 3]: rows by position, RGB.
  public static let pixelsFile = "pictures.npy"
  /// What could not be used: a line for each sample, with the reason.
  public static let leftOutFile = "left-out.jsonl"
  /// The sources with their licences, an array.
  public static let sourcesFile = "sources.json"

  /// Opens an artifact; pixels are read when they are asked for.
  ///
  /// - Throws: `Failure(.badData)` for files that are not as `FORMAT.md` describes them.
  public init(_ artifact: Artifact) throws {
    path = artifact.path
    table = try PairTable(artifact)
    file = try MappedFile(artifact.file(Self.pixelsFile))
    let header = try NumpyHeader(file.bytes, source: file.path)
    let count = table.pictures.count
    guard header.type == "|u1", !header.isColumnMajor, header.shape.count == 4, header.shape[0] == count,
      header.shape[1] == header.shape[2], header.shape[3] == 3, header.shape[1] > 0
    else {
      throw Failure(
        .badData,
        "holds \(header.type) \(header.shape), where \(counted(count, "picture")) |u1 [\(count), S, S, 3] are due",
        at: file.path)
    }
    guard file.count - header.offset == (try header.count(source: file.path)) else {
      throw Failure(
        .badData, "has \(file.count) bytes, which are not those of its shape \(header.shape)", at: file.path)
    }
    (size, offset) = (header.shape[1], header.offset)
  }

  /// The pixels of some pictures, one after the other, each size x size x 3 bytes, RGB by rows.
  ///
  /// - Parameter positions: of pictures; one beyond the table is a mistake of the caller and traps.
  public func pixels(_ positions: some Collection<Int>) -> [UInt8] {
    let length = size * size * 3
    return [UInt8](unsafeUninitializedCapacity: positions.count * length) { buffer, initialized in
      for (row, position) in positions.enumerated() {
        precondition(table.pictures.indices.contains(position), "there is no picture \(position)")
        let start = offset + position * length
        UnsafeMutableRawBufferPointer(
          rebasing: UnsafeMutableRawBufferPointer(buffer)[(row * length)..<(row + 1) * length]
        )
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + length]))
      }
      initialized = positions.count * length
    }
  }

  /// What the artifact says about the origin of its pictures.
  public func sources(_ artifact: Artifact) throws -> [PairSource] {
    let path = try artifact.file(Self.sourcesFile)
    let json = try JSON(parsing: Files.read(path), source: path, for: .strict)
    guard let list = json.arrayValue else { throw Failure(.badData, "is no array", at: path) }
    return try list.enumerated().map { try PairSource($1, source: path, path: "[\($0)]") }
  }
}

/// Where pictures and captions come from.
public struct PairSource: Equatable, Sendable {
  /// As in ``PairTable/Picture/source``.
  public var name: String
  public var title: String?
  public var licence: String?
  public var origin: String?
  /// How many of its pictures the artifact holds.
  public var pictures: Int

  public init(name: String, title: String? = nil, licence: String? = nil, origin: String? = nil, pictures: Int = 0) {
    (self.name, self.title, self.licence, self.origin, self.pictures) = (name, title, licence, origin, pictures)
  }

  init(_ json: JSON, source: String, path: String) throws {
    var fields = try JSONFields(json, source: source, path: path)
    name = try fields.string("name")
    title = try fields.optionalString("title")
    licence = try fields.optionalString("licence")
    origin = try fields.optionalString("origin")
    pictures = try fields.integer("pictures")
    try fields.finish()
  }

  var json: JSON {
    var object = JSONObject()
    object["name"] = .string(name)
    object["title"] = title.map(JSON.string)
    object["licence"] = licence.map(JSON.string)
    object["origin"] = origin.map(JSON.string)
    object["pictures"] = .integer(pictures)
    return .object(object)
  }
}
