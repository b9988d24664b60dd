/// The normaliser of BERT (Devlin et al. 2019) as Python's `tokenizers` has it: control characters are left out, white
/// space becomes blanks, Chinese characters become words, accents are stripped, letters become small.
struct BertNormalizer: Equatable, Sendable {
  /// Whether blanks are put around Chinese characters.
  var separatesChinese = true
  var stripsAccents = true
  var lowersCase = true

  /// The scalars of a text after normalisation.
  func callAsFunction(_ text: String) -> [UInt32] {
    let classes = BertClasses.shared
    var scalars: [UInt32] = []
    scalars.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars.lazy.map(\.value) {
      let kind = classes[scalar]
      if kind.contains(.removed) { continue }
      if kind.contains(.blank) {
        scalars.append(Self.blank)
      } else if separatesChinese && kind.contains(.chinese) {
        scalars += [Self.blank, scalar, Self.blank]
      } else {
        scalars.append(scalar)
      }
    }
    if stripsAccents {
      scalars = Composition.shared.decomposed(scalars).filter { !classes[$0].contains(.mark) }
    }
    return lowersCase ? Self.lowered(scalars) : scalars
  }

  /// Lower case scalar by scalar, as the normaliser `Lowercase` of `tokenizers` has it.
  static func lowered(_ scalars: [UInt32]) -> [UInt32] { scalars.flatMap { BertClasses.shared.lowerCase(of: $0) } }

  static let blank: UInt32 = 0x20

  /// Words and signs: text is cut at blanks, and each sign of punctuation is a piece.
  static func pieces(_ scalars: [UInt32]) -> [ArraySlice<UInt32>] {
    let classes = BertClasses.shared
    var pieces: [ArraySlice<UInt32>] = []
    var start = 0
    for (place, scalar) in scalars.enumerated() {
      let isSign = classes[scalar].contains(.sign)
      guard isSign || scalar == blank else { continue }
      if start < place { pieces.append(scalars[start..<place]) }
      if isSign { pieces.append(scalars[place...place]) }
      start = place + 1
    }
    if start < scalars.count { pieces.append(scalars[start...]) }
    return pieces
  }
}

/// The classes of ``BertCharacters`` by scalar.
private struct BertClasses: Sendable {
  struct Kind: OptionSet {
    let rawValue: UInt8
    static let removed = Kind(rawValue: 1)
    static let blank = Kind(rawValue: 2)
    static let chinese = Kind(rawValue: 4)
    static let mark = Kind(rawValue: 8)
    static let sign = Kind(rawValue: 16)
  }

  static let shared = BertClasses()

  private let kinds: [Kind]
  /// Of the scalars that have one.
  private let lowerCase: [UInt32: [UInt32]]

  private init() {
    var kinds = [Kind](repeating: [], count: 0x11_0000)
    for (ranges, kind) in [
      (BertCharacters.removed, Kind.removed), (BertCharacters.blanks, .blank), (BertCharacters.chinese, .chinese),
      (BertCharacters.marks, .mark), (BertCharacters.signs, .sign),
    ] {
      for i in stride(from: 0, to: ranges.count, by: 2) {
        for code in ranges[i]...ranges[i + 1] { kinds[Int(code)].insert(kind) }
      }
    }
    self.kinds = kinds
    lowerCase = Self.lowerCases()
  }

  private static func lowerCases() -> [UInt32: [UInt32]] {
    var lowerCase: [UInt32: [UInt32]] = [:]
    let several = BertCharacters.lowerCaseOfSeveral
    var place = 0
    while place < several.count {
      let end = place + 2 + Int(several[place + 1])
      lowerCase[several[place]] = Array(several[place + 2..<end])
      place = end
    }
    let runs = BertCharacters.lowerCase
    for i in stride(from: 0, to: runs.count, by: 4) {
      for code in stride(from: runs[i], through: runs[i + 1], by: Int(max(1, runs[i + 2]))) {
        lowerCase[code] = [code &+ runs[i + 3]]
      }
    }
    return lowerCase
  }

  subscript(scalar: UInt32) -> Kind { kinds[Int(scalar)] }

  func lowerCase(of scalar: UInt32) -> [UInt32] { lowerCase[scalar] ?? [scalar] }
}
