import Diagnostics
import Files

/// The three parts of a corpus. Training sees `train`; every choice uses `validation`; reports use `test`, once.
public enum Split: String, Sendable, CaseIterable {
  case train, validation, test
}

/// One document of a split as its record describes it.
public struct DocumentRecord: Equatable, Sendable {
  /// The index of its first token in the split.
  public var firstToken: Int
  /// The number of its tokens, with the end-of-text token that closes it.
  public var tokenCount: Int
  /// The length of its text in bytes of UTF-8, after repair.
  public var bytes: Int
  /// The number of pieces when its text is split at runs of white space, as Python's `re.split(r'\s+', text)` counts.
  public var words: Int

  public init(firstToken: Int, tokenCount: Int, bytes: Int, words: Int) {
    self.firstToken = firstToken
    self.tokenCount = tokenCount
    self.bytes = bytes
    self.words = words
  }

  /// The indices of its tokens in the split.
  public var tokens: Range<Int> { firstToken..<firstToken + tokenCount }
}

/// The layout of `.tokens` and `.documents` files, as `Artifacts/FORMAT.md` describes it. All integers little-endian.
enum TokenFormat {
  static let version: UInt32 = 1
  static let headerSize = 32
  static let recordSize = 32
  static let tokensMagic = "TNTOKENS"
  static let documentsMagic = "TNDOCUME"

  /// Bytes per id: 2 while every id fits.
  static func width(vocabulary: Int) -> Int { vocabulary <= 1 << 16 ? 2 : 4 }

  static func shardFile(_ split: Split, _ index: Int) -> String {
    let digits = String(index)
    return "\(split.rawValue)-\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits).tokens"
  }

  static func documentsFile(_ split: Split) -> String { "\(split.rawValue).documents" }

  /// A header of 32 bytes: the magic word, version, `a` (u32), `b` and `c` (u64).
  static func header(_ magic: String, _ a: Int, _ b: Int, _ c: Int) -> [UInt8] {
    func bytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    return Array(magic.utf8) + bytes(version) + bytes(UInt32(a)) + bytes(UInt64(b)) + bytes(UInt64(c))
  }

  /// Reads a header written by `header`.
  ///
  /// - Throws: `Failure(.badData)` for another magic word or version, or numbers beyond 2^62.
  static func readHeader(_ magic: String, of file: MappedFile) throws -> (a: Int, b: Int, c: Int) {
    guard try file.bytes(at: 0, count: 8, "the magic word").elementsEqual(magic.utf8) else {
      throw Failure(.badData, "does not begin with \(magic)", at: file.path)
    }
    let found = try file.integer(UInt32.self, at: 8, "the version")
    guard found == version else {
      throw Failure(
        .badData, "version \(found) is too \(found < version ? "old" : "new"); this program reads \(version)",
        at: file.path)
    }
    let a = try file.integer(UInt32.self, at: 12, "the header")
    let b = try file.integer(UInt64.self, at: 16, "the header")
    let c = try file.integer(UInt64.self, at: 24, "the header")
    guard b < 1 << 62, c < 1 << 62 else { throw Failure(.badData, "absurd numbers in the header", at: file.path) }
    return (Int(a), Int(b), Int(c))
  }
}
