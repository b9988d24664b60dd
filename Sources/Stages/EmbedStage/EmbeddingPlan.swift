import EncoderDescriptions
import ImageTextModels
import JSON
import Pairs
import Torch

/// What there is to embed, known before anything is computed.
struct EmbeddingPlan {
  let table: PairTable
  let description: EmbeddingsDescription
  /// Augmented copies of each training picture.
  var copies = 0
  let parts: [EmbeddingPart]

  var summary: JSON {
    var object: JSONObject = [
      "pictures": .integer(table.pictures.count), "captions": .integer(table.captions.count),
      "space": .string(description.space == .apart ? "apart" : "joint"),
      "image_width": .integer(description.image.width), "text_width": .integer(description.text.width),
    ]
    if copies > 0 { object["copies"] = .integer(copies) }
    if let scale = description.space.scale { object["scale"] = .number(scale.value) }
    if let prompts = description.prompts { object["prompts"] = .integer(prompts.sentences.count) }
    return .object(object)
  }
}

/// One tensor of the artifact.
struct EmbeddingPart {
  let tensor: EmbeddingsWriter.Part
  /// The rows that each item fills: one, or several where pictures or captions are equal, so that their rows are too.
  let rows: [[Int]]
  /// Items embedded at once.
  let batch: Int
  /// What the items are, for people.
  let unit: String
  /// Rows, float32 [items, width] on the CPU, of consecutive items. They depend on the items alone.
  let embed: (Range<Int>) throws -> Tensor

  var pieces: Int { (rows.count + batch - 1) / batch }

  /// How many items the first pieces have.
  func items(before piece: Int) -> Int { min(piece * batch, rows.count) }

  func items(of piece: Int) -> Range<Int> { items(before: piece)..<items(before: piece + 1) }
}

extension PairTable {
  /// The positions of equal pictures together, in the order of their first.
  var picturesByGroup: [[Int]] { Self.members(pictures.map(\.group)) }

  /// The positions of captions of equal text together, in the order of their first.
  var captionsByGroup: [[Int]] { Self.members(captions.map(\.group)) }

  private static func members(_ groups: [Int]) -> [[Int]] {
    var places = [Int](repeating: 0, count: groups.count)
    var members: [[Int]] = []
    // A group is named by its first member's position, so that it is met there first.
    for (position, group) in groups.enumerated() {
      if group == position {
        places[position] = members.count
        members.append([position])
      } else {
        members[places[group]].append(position)
      }
    }
    return members
  }
}
