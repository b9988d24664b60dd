import Diagnostics
import JSON

/// Files with vocabularies that are not supported, for a message that names them.
enum UnsupportedFile: String, CaseIterable {
  case sentencePiece = "tokenizer.model"
  case sentencePieceOfT5 = "spiece.model"
  case tekken = "tekken.json"

  /// Recognises a file that is not JSON; nil for any other.
  init?(_ bytes: [UInt8]) {
    // A protobuf message whose first field has the first token.
    guard bytes.first == 0x0A, bytes.prefix(64).contains(where: { $0 < 0x09 || (0x0E..<0x20).contains($0) }) else {
      return nil
    }
    self = .sentencePiece
  }

  /// Recognises a JSON file by its members.
  init?(_ file: JSON) {
    guard file["model"] == nil, let vocabulary = file["vocab"]?.arrayValue,
      vocabulary.first?["token_bytes"] != nil || file["config"]?["pattern"] != nil
    else { return nil }
    self = .tekken
  }

  var description: String {
    switch self {
    case .sentencePiece, .sentencePieceOfT5: "a model of SentencePiece"
    case .tekken: "Mistral's tekken.json"
    }
  }

  var remedy: String {
    "take the model's tokenizer.json or a GGUF file, or have transformers write one "
      + "(AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER))"
  }
}
