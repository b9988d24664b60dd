/// An encoding that texts of the last decades may have, besides UTF-8.
struct EncodingCandidate: Sendable {
  /// In words.
  let name: String
  let iconvName: String
  /// What is written in it.
  let scripts: [WritingHabits]

  private init(_ name: String, _ iconvName: String, _ scripts: [WritingHabits]) {
    (self.name, self.iconvName, self.scripts) = (name, iconvName, scripts)
  }

  /// Of two that make equal sense of a text, the first is meant.
  static let all: [EncodingCandidate] = [
    Self("Windows-1252", "WINDOWS-1252", WritingHabits.western),
    Self("Windows-1250", "WINDOWS-1250", WritingHabits.central),
    Self("ISO-8859-2 (Latin-2)", "ISO-8859-2", WritingHabits.central),
    Self("Windows-1254", "WINDOWS-1254", [.turkish]),
    Self("Windows-1251", "WINDOWS-1251", [.cyrillic]),
    Self("KOI8", "KOI8-U", [.cyrillic]),
    Self("CP866", "CP866", [.cyrillic]),
    Self("ISO-8859-5", "ISO-8859-5", [.cyrillic]),
    Self("Mac Cyrillic", "MAC-CYRILLIC", [.cyrillic]),
    Self("Windows-1253", "WINDOWS-1253", [.greek]),
    Self("ISO-8859-7", "ISO-8859-7", [.greek]),
    Self("Windows-1255", "WINDOWS-1255", [.hebrew]),
    Self("Windows-1256", "WINDOWS-1256", [.arabic]),
    Self("ISO-8859-6", "ISO-8859-6", [.arabic]),
    Self("Windows-874 (TIS-620)", "CP874", [.thai]),
    Self("Windows-1257", "WINDOWS-1257", WritingHabits.baltic),
    Self("Mac Roman", "MACINTOSH", WritingHabits.western),
    Self("CP850 (DOS)", "CP850", WritingHabits.western),
    Self("GBK (GB 18030)", "GB18030", [.simplifiedChinese]),
    Self("Big5", "BIG5", [.traditionalChinese]),
    Self("Shift-JIS", "CP932", [.japanese]),
    Self("EUC-JP", "EUC-JP", [.japanese]),
    Self("EUC-KR", "CP949", [.korean]),
  ]
}
