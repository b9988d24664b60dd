import Diagnostics
import LanguageModels
import ModelFiles
import Tokenization

/// The tokens that end a text, with the source of each: those that a model's files name, and the one that closes documents.
public struct EndTokens: Sendable {
  /// In the order of discovery, each once.
  private var found: [(id: Int32, sources: [String])] = []

  public var ids: Set<Int32> { Set(found.map(\.id)) }

  /// Reads the model's files. Warns of an id without a logit, which cannot end a text.
  ///
  /// - Throws: `Failure` with `.badData` for ends that are no integers.
  public init(_ model: PretrainedModel, _ tokenizer: Tokenizer) throws {
    self.init(model, stating: try model.statedGeneration(), tokenizer)
  }

  /// As above, with statements on generation that have been read already.
  public init(_ model: PretrainedModel, stating stated: StatedGeneration, _ tokenizer: Tokenizer) {
    add(tokenizer.endOfText, "closes documents")
    if let end = tokenizer.endOfSequence { add(end, "the tokenizer's end of sequence") }
    // A special token of `config.json` ends a text even where transformers ignores it: it has no other use.
    let specials = Set(tokenizer.vocabulary.specials.map(\.id))
    let old = stated.endsOfOld.filter { specials.contains(Int32(truncatingIfNeeded: $0.token)) }
    for end in stated.ends + old {
      guard (0..<model.configuration.vocabulary).contains(end.token) else {
        Log.warning(
          "\(model.path): \(end.source) names token \(end.token) as an end of texts, but the model has "
            + "\(model.configuration.vocabulary) logits; it ends nothing")
        continue
      }
      add(Int32(end.token), end.source)
    }
    for id in Self.named(model.source, tokenizer.vocabulary) { add(id, "its name") }
  }

  private mutating func add(_ id: Int32, _ source: String) {
    guard let place = found.firstIndex(where: { $0.id == id }) else { return found.append((id, [source])) }
    if !found[place].sources.contains(source) { found[place].sources.append(source) }
  }

  /// For the log: `<|im_end|> (2: generation_config.json), ...`.
  public func description(_ tokenizer: Tokenizer) -> String {
    found.map { id, sources in
      "\(tokenizer.text(of: [id]).debugDescription) (\(id): \(sources.joined(separator: ", ")))"
    }.joined(separator: ", ")
  }
}

extension EndTokens {
  /// The names by which llama.cpp recognises ends of texts and of turns, and tokens of infilling.
  private static let names = [
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>",
    "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>", "<end_of_utterance>",
    "<eos>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~[", "<|fim_pad|>", "<fim-pad>", "<fim_pad>",
    "<PAD>", "[PAD]", "<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>", "<|file_sep|>",
  ]

  /// The tokens that end a text by their names: in GGUF files, as in llama.cpp, and in artifacts, which name no ends elsewhere.
  ///
  /// In artifacts only special tokens count, because a token learnt from text may be spelt alike.
  private static func named(_ source: ModelSource, _ vocabulary: Vocabulary) -> [Int32] {
    var ids: [String: Int32] = [:]
    switch source {
    case .huggingFace: return []
    case .own: for special in vocabulary.specials { ids[special.content] = special.id }
    case .gguf:
      let first = Set(names.map { $0.utf8.first! })
      for (id, token) in vocabulary.tokens.enumerated() {
        guard let token, let byte = token.first, first.contains(byte), token.count < 64 else { continue }
        ids[String(decoding: token, as: UTF8.self)] = Int32(id)
      }
    }
    var found = names.filter { ids[$0] != nil }
    // As in llama.cpp: beside these tokens <|end|> ends one message of several, and </s> is text.
    func has(_ names: String...) -> Bool { names.contains(where: found.contains) }
    if has("<|return|>", "<|flush|>") && has("<|call|>", "<|calls|>") { found.removeAll { $0 == "<|end|>" } }
    if has("<|tool_response>") { found.removeAll { $0 == "</s>" } }
    return found.map { ids[$0]! }
  }
}
