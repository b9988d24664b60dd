import Artifacts
import Diagnostics
import Files
import JSON
import LanguageModels
import ModelFiles
import StageDescriptions
import Tokenization

/// A language model in a published form: a Hugging Face folder or a GGUF file.
struct ModelExport {
  private let artifact: Artifact
  private let format: ExportConfiguration.Format

  init(_ artifact: Artifact, _ format: ExportConfiguration.Format) {
    self.artifact = artifact
    self.format = format
  }

  /// Writes the files.
  ///
  /// - Parameter path: turns a file's name into the path to write it at.
  /// - Returns: the summary of what was written.
  func write(_ path: (String) throws -> String) throws -> JSON {
    let model = try LanguageModel.load(artifact.path)
    let form = try PublishedForm(model.configuration, at: artifact.path)
    let template = try PretrainedModel.open(artifact.path).chatTemplateIfPresent()
    let tokenizerPath = try artifact.file(HuggingFaceFolder.tokenizerName)
    let tokenizer = try Tokenizer(path: tokenizerPath)
    var summary: JSON = [
      "format": .string(format.rawValue), "model": .string(artifact.key), "model_type": .string(form.modelType),
    ]
    if format == .gguf {
      var vocabulary = try tokenizer.ggufEntries(logits: model.configuration.vocabulary, at: artifact.path)
      if let template { vocabulary.append((GGUFMetadata.chatTemplateKey, .string(template))) }
      try form.writeGGUF(
        model.parameters, to: path(ExportStage.modelFileName), name: "tempnet \(artifact.key.prefix(12))",
        vocabulary: vocabulary)
      summary["file"] = .string(ExportStage.modelFileName)
      return summary
    }
    let configuration = try path(HuggingFaceFolder.configurationName)
    _ = try path(HuggingFaceFolder.weightsName)
    try form.writeHuggingFace(
      model.parameters, to: Files.folder(of: configuration), endOfText: Int(tokenizer.endOfText))
    try AtomicFile.write(Files.read(tokenizerPath), to: path(HuggingFaceFolder.tokenizerName))
    if let template { try AtomicFile.write(template, to: path(HuggingFaceFolder.chatTemplateName)) }
    let end = tokenizer.text(of: [tokenizer.endOfText])
    let settings: JSON = [
      "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": .string(end), "eos_token": .string(end),
      "model_max_length": .integer(model.configuration.context), "clean_up_tokenization_spaces": false,
    ]
    try AtomicFile.write(settings.pretty, to: path(HuggingFaceFolder.tokenizerSettingsName))
    return summary
  }
}
