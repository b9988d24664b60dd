import Artifacts
import Diagnostics
import EncoderDescriptions
import Files

/// The folders of frozen towers among the raw inputs of stages.
public enum FrozenTowerInputs: String, Sendable {
  case image = "image_tower"
  case text = "text_tower"

  /// The tower's files under the names that they have in the key.
  ///
  /// - Throws: `Failure(.missingInput)` for a file that is not there.
  static func files(image: String?, text: String?) throws -> [RawInput] {
    try Self.image.files(in: image) + Self.text.files(in: text)
  }

  private func files(in folder: String?) throws -> [RawInput] {
    guard let folder else { return [] }
    let names = [TowerFiles.configuration, TowerFiles.weights] + (self == .text ? [TowerFiles.tokenizer] : [])
    return try names.map { file in
      let path = "\(folder)/\(file)"
      guard try Files.status(path) != nil else { throw Failure.missing("file of a tower", at: path) }
      return RawInput("\(rawValue)/\(file)", path: path)
    }
  }
}

extension StageRequest {
  /// A SHA-256 over the files of a tower, which tells towers of one name apart.
  public func digest(of tower: FrozenTowerInputs) -> String {
    let files = identity([:]).inputs.filter { $0.name.hasPrefix("\(tower.rawValue)/") }
    return SHA256.hex(of: files.map { "\($0.name.dropFirst(tower.rawValue.utf8.count)) \($0.key)\n" }.joined())
  }
}
