/// Undoes the spacing of WikiText's pages, step by step as `wikitext_detokenizer` of lm-evaluation-harness 0.4.13 does,
/// including its mistakes: published figures depend on each step.
enum WikitextDetokenizer {
  static func text(ofPage page: String) -> String {
    var text = PythonText(page).replacing("s '", with: "s'").replacingSlashedQuotes()
    for (old, new) in [(" @-@ ", "-"), (" @,@ ", ","), (" @.@ ", ".")] { text = text.replacing(old, with: new) }
    for mark in [":", ";", ".", "!", "?", ","] { text = text.replacing(" \(mark) ", with: "\(mark) ") }
    let pairs: [(Unicode.Scalar, Unicode.Scalar)] = [("(", ")"), ("[", "]"), ("{", "}"), ("\"", "\""), ("'", "'")]
    for (open, close) in pairs { text = text.tightening(open, close) }
    let rest = [
      ("= = = =", "===="), ("= = =", "==="), ("= =", "=="), (" \u{B0} ", "\u{B0}"), (" \n", "\n"), ("\n ", "\n"),
      (" N ", " 1 "), (" 's", "'s"),
    ]
    for (old, new) in rest { text = text.replacing(old, with: new) }
    return text.string
  }
}

extension PythonText {
  /// `re.sub(r"\(\s*([^\)]*?)\s*\)", r"(\1)", text)`: removes white space just inside each pair.
  fileprivate func tightening(_ open: Unicode.Scalar, _ close: Unicode.Scalar) -> PythonText {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(scalars.count)
    var i = 0
    while i < scalars.count {
      if scalars[i] == open {
        guard let end = scalars[(i + 1)...].firstIndex(of: close) else {
          result += scalars[i...]
          break
        }
        result.append(open)
        result += PythonText(scalars[(i + 1)..<end]).stripped.scalars
        result.append(close)
        i = end + 1
      } else {
        result.append(scalars[i])
        i += 1
      }
    }
    return PythonText(result)
  }

  /// `re.sub(r"/' [0-9]/", r"/'[0-9]/", text)`, a mistake in the original: `/' 7/` becomes the text `/'[0-9]/`.
  fileprivate func replacingSlashedQuotes() -> PythonText {
    (0...9).reduce(self) { $0.replacing("/' \($1)/", with: "/'[0-9]/") }
  }
}
