/// The regular expressions for splitting rules in published files.
enum SplittingPatterns {
  private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
  private static let signs = #"\p{P}\$\+<=>\^~\|"#
  private static let end = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#

  private static func words(_ digits: String) -> String {
    contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|"# + digits + #"| ?[^\s\p{L}\p{N}]+[\r\n]*"# + end
  }

  /// The pattern of a rule in the files that we write; nil for rules without one.
  static func pattern(of rule: TokenizationRules.Splitting) -> String? {
    switch rule {
    case .gpt2, .gpt2Digits, .sentencePiece: nil
    case .cl100k:
      #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|"#
        + #"\s+(?!\S)|\s"#
    case .llamaDefault:
      // Four patterns one after another in llama.cpp: signs, GPT-2's without its last part, numbers, three digits.
      "[" + signs + #"]+| ?\p{L}+|[0-9]{3}|(?:(?![0-9]{3})\p{N})+| ?[^\s\p{L}\p{N}"# + signs + #"]+|\s+(?![^\s"# + signs
        + #"])|\s"#
    case .llama3: words(#"\p{N}{1,3}"#)
    case .qwen2: words(#"\p{N}"#)
    case .qwen35:
      contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"# + end
    case .o200k:
      #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"# + contractions
        + #"?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"# + contractions
        + #"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*"# + end
    }
  }

  /// Other spellings of GPT-2's rule.
  private static let gpt2 = [
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#,
    #"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#,
    #"'s|'t|'re|'ve|'m|'ll|'d| ?[\p{L}]+| ?[\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#,
  ]

  /// The rule of a pattern; nil for unknown patterns.
  static func rule(of pattern: String) -> TokenizationRules.Splitting? {
    gpt2.contains(pattern) ? .gpt2 : TokenizationRules.Splitting.allCases.first { self.pattern(of: $0) == pattern }
  }
}
