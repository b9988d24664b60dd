import Diagnostics
import ImageTextModels
import JSON
import ModelFiles

/// The vocabulary of captions as transformers and open_clip read it: with the marks around a caption, and padding.
struct CaptionFiles {
  let tokenizer: CaptionTokenizer

  func files() throws -> [ExportedFile] {
    [
      .json(HuggingFaceFolder.tokenizerName, try vocabulary()),
      .json(HuggingFaceFolder.tokenizerSettingsName, settings),
    ]
  }

  /// The `tokenizer.json` with a template that puts the marks around texts.
  private func vocabulary() throws -> JSON {
    var file = try JSON(parsing: tokenizer.fileText, source: HuggingFaceFolder.tokenizerName)
    // CLIP's vocabulary says it itself.
    if file["post_processor"]?.isNull == false { return file }
    func mark(_ mark: CaptionTokenizer.Mark, _ type: Int) -> JSON {
      ["SpecialToken": ["id": .string(mark.spelling), "type_id": .integer(type)]]
    }
    func text(_ name: String, _ type: Int) -> [JSON] {
      (tokenizer.beginMark.map { [mark($0, type)] } ?? [])
        + [["Sequence": ["id": .string(name), "type_id": .integer(type)]], mark(tokenizer.endMark, type)]
    }
    let marks = [tokenizer.endMark] + [tokenizer.beginMark].compactMap { $0 }.filter { $0 != tokenizer.endMark }
    file["post_processor"] = [
      "type": "TemplateProcessing", "single": .array(text("A", 0)), "pair": .array(text("A", 0) + text("B", 1)),
      "special_tokens": .object(
        JSONObject(
          marks.map { mark in
            let entry: JSON = [
              "id": .string(mark.spelling), "ids": [.integer(mark.id)], "tokens": [.string(mark.spelling)],
            ]
            return (mark.spelling, entry)
          })),
    ]
    return file
  }

  /// A caption that spells a mark stays text. Padding is the end mark: encoders read its first place.
  private var settings: JSON {
    var settings: JSONObject = [
      "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": .string(tokenizer.endMark.spelling),
      "pad_token": .string(tokenizer.endMark.spelling), "model_max_length": .integer(tokenizer.context),
      "clean_up_tokenization_spaces": false, "split_special_tokens": true, "padding_side": "right",
      "model_input_names": ["input_ids", "attention_mask"],
    ]
    settings["bos_token"] = (tokenizer.beginMark?.spelling).map(JSON.string)
    return .object(settings)
  }
}
