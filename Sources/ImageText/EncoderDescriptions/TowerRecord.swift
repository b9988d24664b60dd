import JSON

/// How one side's embeddings were made.
///
///     {"tower": "efficientnet-lite0", "digest": "57934424…", "size": 128, "width": 1280}
public struct TowerRecord: Equatable, Sendable {
  /// The tower's name.
  public var name: String
  /// Tells apart towers of one name: a SHA-256 over its files. Nil for embeddings made elsewhere.
  public var digest: String?
  /// Of a picture's sides in pixels as the tower read it; nil for texts and for embeddings made elsewhere.
  public var size: Int?
  /// Numbers of an embedding.
  public var width: Int

  public init(_ name: String, digest: String? = nil, size: Int? = nil, width: Int) {
    (self.name, self.digest, self.size, self.width) = (name, digest, size, width)
  }

  /// The same tower with embeddings of another width, as a head on it makes.
  public func projected(to width: Int) -> TowerRecord {
    TowerRecord(name, digest: digest, size: size, width: width)
  }

  public var json: JSON {
    var object: JSONObject = ["tower": .string(name)]
    object["digest"] = digest.map(JSON.string)
    object["size"] = size.map(JSON.integer)
    object["width"] = .integer(width)
    return .object(object)
  }

  /// - Throws: `Failure(.badData)` naming the member that is not as it should be.
  public init(_ fields: JSONFields) throws {
    var fields = fields
    name = try fields.string("tower")
    digest = try fields.optionalString("digest")
    size = try fields.optionalInteger("size")
    width = try fields.integer("width")
    try fields.finish()
    guard (1...Self.greatestWidth).contains(width) else {
      throw fields.failure("width", "is \(width), expected 1 to \(Self.greatestWidth)")
    }
    guard size.map({ (1...1 << 14).contains($0) }) ?? true else {
      throw fields.failure("size", "is \(size!), expected 1 to \(1 << 14)")
    }
  }

  /// The most numbers of an embedding.
  public static let greatestWidth = 1 << 20
}
