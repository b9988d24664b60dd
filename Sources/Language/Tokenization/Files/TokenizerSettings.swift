import Diagnostics
import Files
import JSON
import ModelFiles

/// The settings of a tokenizer beside its vocabulary: `tokenizer_config.json`, and `special_tokens_map.json` and
/// `added_tokens.json` of older programs. They are read as transformers 5 reads them.
struct TokenizerSettings {
  private let configuration: JSONObject
  private let specials: JSONObject
  private let added: JSONObject
  private let folder: String
  /// The tokenizer's class in transformers, without the ending `Fast` of older names; nil if no file names one.
  let kind: String?

  /// The names of transformers' special tokens, in its order.
  private static let names = [
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
  ]

  /// - Parameter usual: the class if the configuration names none.
  /// - Throws: `Failure(.badData)` for files that are damaged or do not contain an object.
  init(folder: String, usual: String? = nil) throws {
    self.folder = folder
    func object(_ name: String) throws -> JSONObject {
      let path = "\(folder)/\(name)"
      guard Files.exists(path) else { return [:] }
      guard let object = try JSON(parsing: Files.read(path), source: path).objectValue else {
        throw Failure(.badData, "should be an object", at: path)
      }
      return object
    }
    configuration = try object(HuggingFaceFolder.tokenizerSettingsName)
    specials = try object(HuggingFaceFolder.specialTokensName)
    added = try object(HuggingFaceFolder.addedTokensName)
    kind = configuration["tokenizer_class"]?.stringValue.map(Self.withoutEnding) ?? usual
  }

  private static func withoutEnding(_ name: String) -> String {
    let ending = "Fast"
    guard name != "PreTrainedTokenizerFast", name.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8) else {
      return name
    }
    return String(decoding: name.utf8.dropLast(ending.utf8.count), as: UTF8.self)
  }

  var configurationPath: String { "\(folder)/\(HuggingFaceFolder.tokenizerSettingsName)" }

  func bool(_ name: String) -> Bool? { configuration[name]?.boolValue }

  // MARK: Rules

  /// Applies the settings that override the vocabulary's own file: for some classes transformers rebuilds the rules
  /// from the configuration.
  ///
  /// - Throws: `Failure(.badData)` for a setting whose effect is not known.
  func apply(to rules: inout TokenizationRules) throws {
    let adds = bool("add_prefix_space")
    switch kind {
    case "GPT2Tokenizer", "GPTNeoXTokenizer":
      // Both classes split by GPT-2's rule. The effect with another rule is not known.
      guard rules.splitting == .gpt2 else { break }
      rules.prefix = adds ?? false ? .missing : .none
      return
    case "LlamaTokenizer":
      guard rules.splitting == .sentencePiece else { return }
      if adds == false { (rules.prefix, rules.normalisesBlanks) = (.none, false) }
      if adds == true, rules.prefix == .none {
        (rules.prefix, rules.normalisesBlanks) = (bool("legacy") == true ? .missing : .missingAtStart, false)
      }
      return
    case "PreTrainedTokenizerFast", "TokenizersBackend": return
    default: break
    }
    if let adds, adds != (rules.prefix != .none) {
      throw Failure(
        .badData,
        "add_prefix_space is \(adds) and contradicts tokenizer.json, which is not supported for the tokenizer_class "
          + (kind ?? "null"), at: configurationPath)
    }
  }

  /// Sentences about settings that are skipped.
  var warnings: [String] {
    guard bool("add_eos_token") == true else { return [] }
    return ["add_eos_token is set in \(configurationPath) and is ignored; " + Self.howTextsAreClosed]
  }

  static let howTextsAreClosed = "tempnet closes each text of a corpus by one token, and prompts by none"

  // MARK: Special tokens

  /// Whether transformers rebuilds the tokenizer from the vocabulary, and so adds its tokens again.
  private var rebuilds: Bool { !defaults.isEmpty }

  /// The class's defaults for special tokens, by name.
  private var defaults: [String: String] {
    switch kind {
    case "GPT2Tokenizer", "GPTNeoXTokenizer":
      Dictionary(uniqueKeysWithValues: ["bos_token", "eos_token", "unk_token"].map { ($0, Vocabulary.endOfTextName) })
    case "Qwen2Tokenizer":
      Dictionary(uniqueKeysWithValues: ["eos_token", "unk_token", "pad_token"].map { ($0, Vocabulary.endOfTextName) })
    case "LlamaTokenizer": ["bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"]
    default: [:]
    }
  }

  /// Whether the older files count, because the configuration does not list added tokens.
  private var isLegacy: Bool { configuration["added_tokens_decoder"] == nil }

  /// The token of a name such as `eos_token`.
  ///
  /// If the configuration lists added tokens, the older file is used only for names that nothing else states.
  func named(_ name: String) -> StatedToken? { stated(name) ?? classDefault(name) ?? specials[name].flatMap(older) }

  /// A token that a file in force states by name. An older file takes precedence over the configuration.
  private func stated(_ name: String) -> StatedToken? {
    if isLegacy, let token = specials[name].flatMap(older) { return token }
    return configuration[name].flatMap(StatedToken.init(named:))
  }

  /// The class's default for a name that the configuration does not mention, not even as null.
  private func classDefault(_ name: String) -> StatedToken? {
    configuration[name] == nil ? defaults[name].map { StatedToken($0, isSpecial: true) } : nil
  }

  private func older(_ json: JSON) -> StatedToken? {
    json.stringValue.map { StatedToken($0, isSpecial: true) } ?? StatedToken(json, isSpecial: true)
  }

  /// The named special tokens, in the order in which new ids are given, and whether a file states them.
  private var namedTokens: [(token: StatedToken, isStated: Bool)] {
    let others = (Array(configuration) + (isLegacy ? Array(specials) : [])).filter { name, value in
      !Self.names.contains(name) && name.utf8.suffix(6).elementsEqual("_token".utf8) && value.stringValue != nil
    }.map(\.key)
    let known = (Self.names + others).compactMap { name in
      stated(name).map { ($0, isStated: true) } ?? classDefault(name).map { ($0, isStated: false) }
    }
    let further = (extra?.objectValue ?? [:]).compactMap { StatedToken(named: $0.value) }
    return known + further.map { ($0, isStated: true) }
  }

  /// `extra_special_tokens`, formerly `additional_special_tokens`: a list, or an object of names and tokens.
  private var extra: JSON? { Self.extra(configuration) ?? (isLegacy ? Self.extra(specials) : nil) }

  private static func extra(_ object: JSONObject) -> JSON? {
    let extra = object["extra_special_tokens"]
    let isEmpty = extra?.arrayValue?.isEmpty ?? extra?.objectValue?.isEmpty ?? true
    return isEmpty ? object["additional_special_tokens"] ?? extra : extra
  }

  /// The special tokens without names.
  private var extraTokens: [StatedToken] {
    var tokens = extra?.arrayValue ?? []
    if isLegacy, Self.extra(configuration) != nil { tokens += specials["extra_special_tokens"]?.arrayValue ?? [] }
    return tokens.compactMap(older)
  }

  // MARK: Added tokens

  /// Adds the files' tokens to those of the vocabulary.
  ///
  /// - Returns: sentences about guesses.
  /// - Throws: `Failure(.badData)` for a token with two different ids.
  func add(to list: inout AddedTokenList) throws -> [String] {
    let listed = try isLegacy ? olderTokens() : listedTokens()
    let dropped = isLegacy || !rebuilds ? [] : list.contents(without: listed.map(\.token.content))
    for (id, token, name) in listed {
      // The flags of `tokenizer.json` take precedence over an older file.
      try list.add(
        (isLegacy ? list[token.content] : nil) ?? token, id: id, mayLeaveGap: false, source: "\(folder)/\(name)")
    }
    // A named token is special, however it is listed.
    let again = isLegacy || rebuilds ? nil : Set(listed.map { ExactString($0.token.content) })
    for content in Set(namedTokens.map { ExactString($0.token.content) }) where again?.contains(content) ?? true {
      guard var token = list[content.text] else { continue }
      token.isSpecial = true
      list.add(token)
    }
    let warnings = dropped.map {
      "'\($0)' is an added token in tokenizer.json, but not in \(configurationPath); it is text, as in transformers"
    }
    return warnings + addSpecials(to: &list)
  }

  private typealias Listed = (id: Int, token: StatedToken, file: String)

  /// The tokens of the configuration's list, in the order of their ids.
  private func listedTokens() throws -> [Listed] {
    guard let tokens = configuration["added_tokens_decoder"]?.objectValue else {
      throw Failure(.badData, "added_tokens_decoder should be an object", at: configurationPath)
    }
    return try tokens.map { id, json in
      guard let number = Int(id), let token = StatedToken(json) else {
        throw Failure(
          .badData, "added_tokens_decoder should be an object of ids and tokens; found '\(id)'", at: configurationPath)
      }
      return (number, token, HuggingFaceFolder.tokenizerSettingsName)
    }.sorted { $0.id < $1.id }
  }

  /// The tokens of the older file, in the order of their ids. A token is special if it has a name, or if it is in a
  /// list of extra special tokens.
  private func olderTokens() throws -> [Listed] {
    let newer = Self.extra(configuration) ?? specials["extra_special_tokens"]
    let further = newer == nil ? [] : extraTokens
    // Transformers has not yet read the configuration's names with flags at this point, so they do not count.
    let named = Self.names.compactMap { specials[$0].flatMap(older)?.content ?? configuration[$0]?.stringValue }
    let special = Set((named + further.map(\.content)).map(ExactString.init))
    return try added.map { content, id in
      guard let id = id.intValue else {
        throw Failure(
          .badData, "the id of '\(content)' should be an integer", at: "\(folder)/\(HuggingFaceFolder.addedTokensName)")
      }
      return (
        id, StatedToken(content, isSpecial: special.contains(ExactString(content))), HuggingFaceFolder.addedTokensName
      )
    }.sorted { $0.id < $1.id }
  }

  /// Adds the files' special tokens, with new ids for those without one, as transformers does.
  private func addSpecials(to list: inout AddedTokenList) -> [String] {
    let extras = extraTokens.map { (token: $0, isStated: true) }
    var wanted = (namedTokens + extras).filter { list[$0.token.content] == nil }
    // Default tokens at the end that the vocabulary lacks would only make it larger.
    while let last = wanted.last, !last.isStated, list.id(of: last.token.content) == nil { wanted.removeLast() }
    var guesses: [String] = []
    var seen: Set<StatedToken> = []
    // Of a token in two forms the last flags count.
    for (token, _) in wanted where !token.content.isEmpty && seen.insert(token).inserted {
      if list.id(of: token.content) == nil {
        guesses.append(
          "no file gives the special token '\(token.content)' an id, so it gets the next one, \(list.next), as in "
            + "transformers"
        )
      }
      list.add(token)
    }
    return guesses
  }
}
