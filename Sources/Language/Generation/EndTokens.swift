import Diagnostics
import LanguageModels
import ModelFiles
import Tokenization

/// The tokens that end a text, and who says so of each: whatever any of a model's files names, and what closes documents.
public struct EndTokens: Sendable {
  /// In the order in which they were found, each once.
  private var found: [(id: Int32, sources: [String])] = []

  public var ids: Set<Int32> { Set(found.map(\.id)) }

  /// Reads what the model's files say. An id that the model has no logit for ends nothing, and is warned of.
  ///
  /// - Throws: `.badData` for ends that are no integers.
  public init(_ model: PretrainedModel, _ tokenizer: Tokenizer) throws {
    self.init(model, stating: try model.statedGeneration(), tokenizer)
  }

  /// The same with what the model's files say of generation read already.
  public init(_ model: PretrainedModel, stating stated: StatedGeneration, _ tokenizer: Tokenizer) {
    add(tokenizer.endOfText, "closes documents")
    if let end = tokenizer.endOfSequence { add(end, "the tokenizer's end of sequence") }
    // What no vocabulary has for anything but an end is one even where transformers would not look.
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
  /// The names by which llama.cpp tells ends of texts and of turns, and the fillers of its infilling.
  private static let names = [
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>",
    "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>", "<end_of_utterance>",
    "<eos>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~[", "<|fim_pad|>", "<fim-pad>", "<fim_pad>",
    "<PAD>", "[PAD]", "<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>", "<|file_sep|>",
  ]

  /// What ends a text by its name, in files that say nothing else of it or, as in GGUF, where llama.cpp goes by names.
  ///
  /// A model of ours has no file that says so but its vocabulary; there only special tokens count, because text may have
  /// taught it a token that is spelt alike.
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
    // Beside these <|end|> ends one message of several, and </s> is text, as llama.cpp has it.
    func has(_ names: String...) -> Bool { names.contains(where: found.contains) }
    if has("<|return|>", "<|flush|>") && has("<|call|>", "<|calls|>") { found.removeAll { $0 == "<|end|>" } }
    if has("<|tool_response>") { found.removeAll { $0 == "</s>" } }
    return found.map { ids[$0]! }
  }
}
