import Diagnostics
import JSON

/// The rules of a `tokenizer.json`: everything but the vocabulary itself.
struct TokenizerFileRules {
  let file: JSON
  let source: String
  private let model: JSON

  init(_ file: JSON, source: String) {
    self.file = file
    self.source = source
    model = file["model"] ?? .null
  }

  /// - Parameter warnings: receives a sentence for each setting that is skipped.
  /// - Throws: `Failure(.badData)` with the setting that is not supported.
  func read(warnings: inout [String]) throws -> TokenizationRules {
    for key in ["truncation", "padding"] where file[key].map({ !$0.isNull }) == true {
      warnings.append("\(key) is set in \(source) and is ignored, as in transformers: no text is cut or padded")
    }
    try checkPostProcessor()
    let isSentencePiece = model["byte_fallback"]?.boolValue == true
    try checkModel(isSentencePiece: isSentencePiece)
    var rules = isSentencePiece ? try sentencePieceRules() : try byteLevelRules()
    rules.ignoresMerges = model["ignore_merges"]?.boolValue ?? false
    return rules
  }

  // MARK: Byte-level BPE

  private func byteLevelRules() throws -> TokenizationRules {
    var rules = TokenizationRules()
    for step in steps(file["normalizer"], "normalizers") {
      guard step["type"]?.stringValue == "NFC" else { throw unsupported(named("normalizer", step)) }
      rules.composes = true
    }
    // None of these changes the decoding of byte-level tokens.
    let decoders = steps(file["decoder"], "decoders")
    if let first = decoders.first, !decoders.contains(where: { $0["type"]?.stringValue == "ByteLevel" }) {
      throw unsupported(named("decoder", first))
    }
    for step in decoders {
      guard ["ByteLevel", "Fuse", "ByteFallback"].contains(step["type"]?.stringValue) else {
        throw unsupported(named("decoder", step))
      }
    }
    let pretokenizer = file["pre_tokenizer"] ?? .null
    let splitting = steps(pretokenizer, "pretokenizers")
    guard let last = splitting.last, last["type"]?.stringValue == "ByteLevel", splitting.count <= 2 else {
      let unknown = splitting.first { !["ByteLevel", "Split", "Digits"].contains($0["type"]?.stringValue) }
      throw unsupported(named("pre_tokenizer", unknown ?? pretokenizer))
    }
    let usesOwnRule = last["use_regex"]?.boolValue ?? true
    switch last["add_prefix_space"]?.boolValue {
    case false: break
    // With a further step, a blank would be added before each piece of that step.
    case true where splitting.count == 1: rules.prefix = .missing
    default: throw unsupported("pre_tokenizer.add_prefix_space")
    }
    guard splitting.count == 2 else {
      if !usesOwnRule { throw unsupported("pre_tokenizer.use_regex: false") }
      return rules
    }
    rules.splitting = try rule(of: splitting[0], before: usesOwnRule)
    return rules
  }

  /// The rule of a step before `ByteLevel`.
  ///
  /// - Parameter usesOwnRule: whether `ByteLevel` also applies GPT-2's rule.
  private func rule(of step: JSON, before usesOwnRule: Bool) throws -> TokenizationRules.Splitting {
    switch step["type"]?.stringValue {
    case "Digits":
      guard step["individual_digits"]?.boolValue == true, usesOwnRule else {
        throw unsupported("pre_tokenizer 'Digits' without individual_digits or before use_regex: false")
      }
      return .gpt2Digits
    case "Split":
      guard let pattern = step["pattern"]?["Regex"]?.stringValue else {
        throw unsupported("pre_tokenizer 'Split' by anything but a regular expression")
      }
      // These patterns match all text, so removing the text between matches changes nothing.
      let (behavior, invert) = (step["behavior"]?.stringValue ?? "", step["invert"]?.boolValue ?? false)
      guard behavior == "Isolated" && !invert || behavior == "Removed" && invert else {
        throw unsupported("pre_tokenizer 'Split' with behavior \(behavior)")
      }
      guard !usesOwnRule, let rule = SplittingPatterns.rule(of: pattern) else {
        throw unsupported("pre_tokenizer 'Split' by \(pattern)")
      }
      return rule
    default: throw unsupported(named("pre_tokenizer", step))
    }
  }

  // MARK: SentencePiece

  /// Reads the rules of a file in which the normaliser or the pre-tokeniser replaces blanks by `▁`; it may also add one
  /// before the text.
  private func sentencePieceRules() throws -> TokenizationRules {
    let blank = SentencePieceAlphabet.blankText
    var prefix = TokenizationRules.Prefix.none
    var replaces = false
    for step in steps(file["normalizer"], "normalizers") {
      switch step["type"]?.stringValue {
      case "Prepend" where step["prepend"]?.stringValue == blank && !replaces: prefix = .everywhere
      case "Replace" where step["pattern"]?["String"]?.stringValue == " " && step["content"]?.stringValue == blank:
        replaces = true
      default: throw unsupported(named("normalizer", step))
      }
    }
    if let step = file["pre_tokenizer"], !step.isNull {
      let scheme = step["prepend_scheme"]?.stringValue
      guard step["type"]?.stringValue == "Metaspace", step["replacement"]?.stringValue == blank,
        step["split"]?.boolValue == false, !replaces
      else { throw unsupported(named("pre_tokenizer", step)) }
      replaces = true
      switch scheme {
      case "always": prefix = .missing
      case "first": prefix = .missingAtStart
      case "never": prefix = .none
      default: throw unsupported("pre_tokenizer.prepend_scheme: \(scheme ?? "null")")
      }
    }
    guard replaces else { throw unsupported("byte_fallback without \(blank) for blanks") }
    for step in steps(file["decoder"], "decoders") {
      guard ["Replace", "ByteFallback", "Fuse", "Strip", "Metaspace"].contains(step["type"]?.stringValue) else {
        throw unsupported(named("decoder", step))
      }
    }
    var rules = TokenizationRules(splitting: .sentencePiece, prefix: prefix)
    rules.normalisesBlanks = file["pre_tokenizer"]?.isNull ?? true
    return rules
  }

  // MARK: Both

  /// Refuses post-processors that do more than add special tokens, which `TokenizerFile.template` reads.
  private func checkPostProcessor() throws {
    for step in steps(file["post_processor"], "processors") {
      guard ["ByteLevel", "TemplateProcessing"].contains(step["type"]?.stringValue) else {
        throw unsupported(named("post_processor", step))
      }
    }
  }

  private func checkModel(isSentencePiece: Bool) throws {
    if let type = model["type"], type != "BPE" { throw unsupported(named("model", model)) }
    let neutral: [String: [JSON]] = [
      "dropout": [.null, 0, 0.0], "continuing_subword_prefix": [.null, ""], "end_of_word_suffix": [.null, ""],
      "byte_fallback": [false, true], "ignore_merges": isSentencePiece ? [false] : [false, true],
      "fuse_unk": [false, true],
    ]
    let read = ["type", "vocab", "merges", TokenizerFile.sharedRanksName]
    for (key, value) in model.objectValue ?? [:] where !read.contains(key) {
      // A vocabulary with every byte has no unknown text.
      if key == "unk_token", value.isNull || value.stringValue != nil { continue }
      if neutral[key]?.contains(value) != true { throw unsupported("model.\(key): \(value.compact)") }
    }
  }

  /// The members of a sequence, or the step itself.
  private func steps(_ value: JSON?, _ members: String) -> [JSON] {
    guard let value, !value.isNull else { return [] }
    return value["type"]?.stringValue == "Sequence" ? value[members]?.arrayValue ?? [] : [value]
  }

  private func named(_ key: String, _ value: JSON) -> String {
    value["type"]?.stringValue.map { "\(key) '\($0)'" } ?? key + (value.isNull ? ": null" : "")
  }

  private func unsupported(_ what: String) -> Failure {
    Failure(.badData, "\(what) is not supported", at: source)
  }
}
