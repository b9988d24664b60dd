import Tokenization

/// Text as Python's `str` sees it: Unicode scalars, not characters, and Python's own idea of white space.
///
/// lm-evaluation-harness builds its prompts with Python's string methods; Swift's would, for one, find no space before
/// a combining accent.
struct PythonText: Equatable {
  private(set) var scalars: [Unicode.Scalar]

  init(_ text: String) { scalars = Array(text.unicodeScalars) }
  init(_ scalars: some Sequence<Unicode.Scalar>) { self.scalars = Array(scalars) }

  var string: String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  /// `str.strip()`.
  var stripped: PythonText { leftStripped.rightStripped }
  /// `str.lstrip()`.
  var leftStripped: PythonText { PythonText(scalars.drop(while: \.isPythonSpace)) }
  /// `str.rstrip()`.
  var rightStripped: PythonText { PythonText(scalars.dropLast(trailingSpaces)) }
  /// How many scalars `str.rstrip()` removes.
  var trailingSpaces: Int { scalars.reversed().prefix(while: \.isPythonSpace).count }

  /// `str.replace(old, new)`: from left to right, once.
  func replacing(_ old: String, with new: String) -> PythonText {
    let (old, new) = (Array(old.unicodeScalars), Array(new.unicodeScalars))
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(scalars.count)
    var i = 0
    while i < scalars.count {
      if scalars[i] == old[0], i + old.count <= scalars.count, scalars[i..<i + old.count].elementsEqual(old) {
        result += new
        i += old.count
      } else {
        result.append(scalars[i])
        i += 1
      }
    }
    return PythonText(result)
  }

  /// `str.capitalize()`: the first character in title case, **all others in lower case**.
  var capitalised: PythonText {
    guard let first = scalars.first else { return self }
    var result = Array(first.properties.titlecaseMapping.unicodeScalars)
    for index in scalars.indices.dropFirst() {
      result += isFinalSigma(index) ? ["ς"] : Array(scalars[index].properties.lowercaseMapping.unicodeScalars)
    }
    return PythonText(result)
  }

  /// Unicode's one lower case that depends on the letters around it (Unicode 16.0, section 3.13).
  private func isFinalSigma(_ index: Int) -> Bool {
    guard scalars[index] == "Σ" else { return false }
    func isCased(_ scalar: Unicode.Scalar?) -> Bool { scalar?.properties.isCased ?? false }
    let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
    let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
    return isCased(before) && !isCased(after)
  }

  /// `len(re.split(r"\s+", text))`: runs of white space at the ends make empty pieces, which count.
  var words: Int {
    var words = 1
    for index in scalars.indices where scalars[index].isPythonSpace {
      if index == 0 || !scalars[index - 1].isPythonSpace { words += 1 }
    }
    return words
  }

  var size: TextSize { TextSize(characters: scalars.count, bytes: string.utf8.count, words: words) }
}
