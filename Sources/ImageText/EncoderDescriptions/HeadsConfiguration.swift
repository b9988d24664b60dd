import JSON

/// The sizes of two heads that bring the embeddings of two frozen towers into one space.
public struct HeadsConfiguration: Equatable, Sendable {
  /// The towers whose embeddings the heads read.
  public var image: TowerRecord
  public var text: TowerRecord
  /// The width of each head's inner layer.
  public var hidden: Int
  /// The width of the common space.
  public var embed: Int
  /// The share of inner units that training drops.
  public var dropout: Double

  public init(image: TowerRecord, text: TowerRecord, hidden: Int, embed: Int, dropout: Double) {
    (self.image, self.text, self.hidden, self.embed, self.dropout) = (image, text, hidden, embed, dropout)
  }
}

extension HeadsConfiguration {
  var members: JSONObject {
    [
      "image": image.json, "text": text.json, "hidden": .integer(hidden), "embed": .integer(embed),
      "dropout": .number(dropout),
    ]
  }

  init(_ fields: inout JSONFields) throws {
    image = try TowerRecord(fields.fields("image"))
    text = try TowerRecord(fields.fields("text"))
    hidden = try fields.size("hidden", in: 1...TowerRecord.greatestWidth)
    embed = try fields.size("embed", in: 1...TowerRecord.greatestWidth)
    dropout = try fields.number("dropout")
    guard (0..<1).contains(dropout) else { throw fields.failure("dropout", "is \(dropout), expected 0 to below 1") }
  }
}
