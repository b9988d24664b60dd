/// The letters and signs beyond ASCII that a language, or several, are written with.
struct WritingHabits: Sendable {
  /// Whether the letters of the script are those of ASCII with marks, or stand apart from them.
  private enum Kind { case latin, other, ideographic }

  private let kind: Kind
  /// What stands in every text.
  private let frequent: Set<Unicode.Scalar>
  /// What stands in some, or, for ideographs, one of the script's ranges.
  private let rare: Set<Unicode.Scalar>
  private let range: ClosedRange<UInt32>?

  private init(
    _ kind: Kind, _ frequent: String, rare: String = "", block: ClosedRange<UInt32>? = nil,
    range: ClosedRange<UInt32>? = nil
  ) {
    self.kind = kind
    self.frequent = Set(frequent.unicodeScalars)
    self.rare = Set(rare.unicodeScalars).union(block.map { $0.compactMap(Unicode.Scalar.init) } ?? [])
    self.range = range
  }

  /// How much of a text beyond ASCII is as it should be: 1 is all, below 0 is mostly what is never written.
  func plausibility(of text: [Unicode.Scalar]) -> Double {
    var sum = 0.0
    var count = 0
    for (index, scalar) in text.enumerated() where !scalar.isASCII {
      count += 1
      let before = index > 0 ? text[index - 1] : " "
      let after = index + 1 < text.count ? text[index + 1] : " "
      sum += weight(scalar, after: before, before: after)
    }
    return count == 0 ? -1 : sum / Double(count)
  }

  private func weight(_ scalar: Unicode.Scalar, after before: Unicode.Scalar, before after: Unicode.Scalar) -> Double {
    if kind == .other && scalar.properties.isAlphabetic && (before.isASCIILetter || after.isASCIILetter) { return -1 }
    if frequent.contains(scalar) { return 1 }
    if kind == .ideographic {
      if range?.contains(scalar.value) == true { return 0.2 }
      return Self.wideSigns.contains(scalar) ? 0.7 : -1
    }
    if rare.contains(scalar) { return 0.5 }
    if scalar.properties.isUppercase, let small = scalar.properties.lowercaseMapping.unicodeScalars.first,
      frequent.contains(small) || rare.contains(small)
    {
      // A capital follows a capital, or nothing that is a letter.
      return before.properties.isAlphabetic && !before.properties.isUppercase ? -1 : 0.6
    }
    return Self.weight(ofSign: scalar, after: before, before: after)
  }

  private static func weight(
    ofSign sign: Unicode.Scalar, after before: Unicode.Scalar, before after: Unicode.Scalar
  ) -> Double {
    let isInWord = before.properties.isAlphabetic && after.properties.isAlphabetic
    switch sign {
    case "\u{2018}", "\u{2019}", "\u{2013}", "\u{2014}", "\u{2026}": return 0.7
    case "\u{201C}", "\u{201E}", "\u{AB}": return before.properties.isAlphabetic ? -0.5 : 0.7
    case "\u{201D}", "\u{201A}", "\u{BB}", "\u{20AC}", "\u{A3}": return isInWord ? -0.5 : 0.7
    case "\u{A9}", "\u{AE}", "\u{2122}", "\u{2020}", "\u{2022}", "\u{B7}", "\u{A7}", "\u{B0}":
      return isInWord ? -0.5 : 0
    case "\u{A0}": return 0.2
    default: return -1
    }
  }

  private static let wideSigns = Set("，。、；：？！“”‘’（）《》「」『』【】\u{3000}・…—～".unicodeScalars)
}

extension Unicode.Scalar {
  fileprivate var isASCIILetter: Bool { isASCII && properties.isAlphabetic }
}

// MARK: - Languages

extension WritingHabits {
  /// English with its quotation marks, French, German, Spanish, Portuguese, Italian, Scandinavian, Icelandic.
  static let western = ["éèêàâîôûùçœëïæ", "äöüß", "áéíóúñü¿¡ºª", "ãõçáéíóúâêôàº", "àèéìòù", "åäöéæø", "þðæöáéíóúý"].map
  {
    Self(.latin, $0)
  }
  /// Polish, Czech and Slovak, Hungarian, Romanian, Croatian.
  static let central = ["ąćęłńóśźż", "áčďéěíňóřšťúůýžľĺŕôä", "áéíóöőúüű", "ăâîşţ", "čćđšž"].map { Self(.latin, $0) }
  /// Lithuanian, Latvian.
  static let baltic = ["ąčęėįšųūž", "āčēģīķļņšūž"].map { Self(.latin, $0) }
  static let turkish = Self(.latin, "ıişğüöçİâ")
  static let cyrillic = Self(.other, "оеаинтсрвлкмдпуя", rare: "ыьгзбчйхжшюцщэфёъіїєґ")
  static let greek = Self(.other, "αοιετσνηυρπκμλως", rare: "έίάόήύώγδχθφβξζψϊϋΐΰ")
  static let hebrew = Self(.other, "ויהלאתמרבשנםדכ", block: 0x5B0...0x5EA)
  static let arabic = Self(.other, "المنيترهبودسعفكقحجأإة", block: 0x621...0x652)
  static let thai = Self(.other, "านรกอเงยลมวดทสตปคบแหพจขช่้าีิัุูไ็ำะ์ใโ", block: 0xE01...0xE5B)
  static let simplifiedChinese = Self(.ideographic, frequentSimplified, range: 0x4E00...0x9FFF)
  static let traditionalChinese = Self(.ideographic, frequentTraditional, range: 0x4E00...0x9FFF)
  static let japanese = Self(
    .ideographic, kana + "人間自由平等日本国年大学会中出生上下見行分前後時事者言手子方今何気同思校来入立長小高山水木金火土一二三四五六七八九十百千万円",
    range: 0x4E00...0x9FFF)
  static let korean = Self(.ideographic, frequentSyllables, range: 0xAC00...0xD7A3)

  static let eastAsian = [simplifiedChinese, traditionalChinese, japanese, korean]

  private static let kana = String(
    String.UnicodeScalarView(
      [0x3041...0x3093, 0x30A1...0x30FA, 0x30FC...0x30FC].joined().compactMap(Unicode.Scalar.init)))

  /// About half of the characters of a Chinese text.
  private static let frequentSimplified =
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心"
    + "她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给"
    + "世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社"
    + "便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运"

  private static let frequentTraditional =
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心"
    + "她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給"
    + "世位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計管期市直德資命山金指克許統區保至隊形社"
    + "便空決治展馬科司五基眼書非則聽白卻界達光放強即像難且權思王象完設式色路記南品住告類求據程北邊死張該交規萬取拉格望覺術領共確傳師觀清今切院讓識候帶導爭運"

  private static let frequentSyllables =
    "이다에는을가의로고하한지기사리도자나인어그서대스시들아정수부라있일해과전주보만여원게제상것으조장공동구우성모소국문면신경세선안오비생은무었유마연러니방같당분때요와적않중용개진발화내"
    + "물금계단말심실위각본회관재임치통르미차바터였할야결간산학체명습없려존등받형행천양권애졌웠롭"
}
