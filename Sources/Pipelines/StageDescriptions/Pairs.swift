import Artifacts
import Configuration
import Diagnostics
import Files
import Pairs

/// The settings of `tempnet-pairs`.
public struct PairsConfiguration: StageConfiguration {
  /// The separator of a table's columns.
  public enum Separator: String, Sendable, CaseIterable {
    case auto, comma, tab, semicolon
  }

  /// Archives, folders, tables, JSON, descriptors.
  public var source: [String]
  /// The side of the pictures, in pixels.
  public var size: Int
  public var fit: PictureFit
  public var options: PairSources.Options
  public var splits: SplitRule
  /// Whether the splits that sources state are kept.
  public var keepsStatedSplits: Bool
  /// The share of samples that may be unusable.
  public var leftOutLimit: Double
  /// Licences that allow showing a picture in a report that is passed on.
  public var freeLicences: [String]
  /// The most pixels of a picture.
  public var pixelLimit: Int
  public var threads: Int?

  /// The bytes of encoded pictures after which a chunk of samples ends; two chunks are in memory at once.
  public static let chunkBytes = 1 << 26

  /// Licences without a condition on the work that shows a picture. Share-alike licences and the GPL have one.
  public static let freeLicences = [
    "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-2.0", "CC-BY-3.0", "CC-BY-4.0", "CC0-1.0", "MIT", "OFL-1.1",
    "public domain",
  ]

  public init(reading reader: inout ConfigurationReader) throws {
    source = try reader.paths(
      "source", help: "archives ({000..127} too), folders, tables, JSON or descriptors (data/*.yaml)")
    size = try reader.integer("size", default: 128, in: 1...4096, help: "side of the pictures, in pixels")
    fit = try reader.value(
      "fit", as: .choice(), default: .pad,
      help: "how pictures become squares: white beside them, their middle, squashed")
    options = PairSources.Options()
    options.fields = try Self.fields(&reader)
    options.imageRoot = try reader.optionalPath(
      "image_root", help: "the folder below which tables and JSON name pictures; else the file's own")
    options.hasCaptionLines = try reader.boolean(
      "caption_lines", default: false, help: "whether a .txt beside a picture holds a caption in each line")
    let separator: Separator = try reader.value(
      "separator", as: .choice(), default: .auto, help: "what separates the columns of tables")
    options.separator = separator.byte
    options.unpackedLimit = try reader.value(
      "unpacked_limit", as: .optional(.integer(in: 0...Int.max)), default: .some(nil), identity: false,
      help: "bytes that an archive may unpack to; else 200 times its size or 1 GiB, whichever is more")
    (splits, keepsStatedSplits) = try Self.splits(&reader)
    leftOutLimit = try reader.number(
      "left_out_limit", default: 0.01, in: 0...1, identity: false,
      help: "share of the samples that may be unusable before the stage fails")
    freeLicences = try reader.strings(
      "free_licences", default: Self.freeLicences,
      help: "licences under which reports may show a picture, where the source does not say")
    pixelLimit = try reader.integer(
      "pixel_limit", default: 1 << 26, in: 1...1 << 30, help: "pixels of a picture, at most; more is left out")
    threads = try reader.threads()
    if source.isEmpty { throw reader.failure("source", "must name pairs") }
  }

  private static func fields(_ reader: inout ConfigurationReader) throws -> PairFields {
    try reader.section("fields") { reader in
      var fields = PairFields()
      fields.image = try reader.optionalString(
        "image", help: "the column or field with the picture's path; else a usual one")
      fields.caption = try reader.optionalString("caption", help: "with the caption, or a list of captions; likewise")
      fields.concept = try reader.string("concept", default: fields.concept, help: "with what the picture shows")
      fields.style = try reader.string("style", default: fields.style, help: "with its art style or collection")
      fields.label = try reader.optionalString("class", help: "with its class; else class or label")
      fields.licence = try reader.optionalString("licence", help: "with its licence; else licence or license")
      fields.split = try reader.string("split", default: fields.split, help: "with its split")
      return fields
    }
  }

  private static func splits(_ reader: inout ConfigurationReader) throws -> (SplitRule, Bool) {
    let keepsStated = try reader.boolean(
      "stated_splits", default: true,
      help: "whether splits that sources state are kept; false deals all pictures by concept")
    let validation = try reader.number(
      "validation", default: 0.1, in: 0...1, help: "share of the concepts to validate on")
    let test = try reader.number("test", default: 0.1, in: 0...1, help: "share of the concepts to test on")
    let heldOut = try reader.value(
      "held_out", as: .named(.list(of: .string, atLeast: 1)), default: [],
      help: "further tests by name, each with the styles that are only tested on: {style: [emojione]}")
    if validation + test > 1 {
      throw reader.failure("test", with: ["validation"], "and validation together must not exceed 1")
    }
    for (index, one) in heldOut.enumerated() {
      let usual = ["train", "validation", "test"]
      guard one.name.isPlainName, !usual.contains(one.name) else {
        throw reader.failure("held_out", under: one.name, "cannot name a test '\(one.name)'; \(String.plainNameRule)")
      }
      if let style = one.value.first(where: { style in heldOut[..<index].contains { $0.value.contains(style) } }) {
        throw reader.failure("held_out", under: one.name, "holds the style '\(style)' out for two tests")
      }
    }
    let tests = heldOut.map { SplitRule.StyleTest(name: $0.name, styles: $0.value) }
    return (SplitRule(validation: validation, test: test, styleTests: tests), keepsStated)
  }
}

extension PairsConfiguration.Separator {
  /// Nil to find out.
  var byte: UInt8? {
    switch self {
    case .auto: nil
    case .comma: UInt8(ascii: ",")
    case .tab: UInt8(ascii: "\t")
    case .semicolon: UInt8(ascii: ";")
    }
  }
}

/// Joins pictures with captions.
public enum MakePairs: StageDescription {
  public static let name = "pairs"
  public static let summary = "Decodes pictures, joins them with their captions, and deals them to splits."
  public static let version = 1
  public static let output = ArtifactKind.pairs
  public static let inputs: [StageInput] = []
  public typealias Configuration = PairsConfiguration

  public static func rawInputs(_ configuration: PairsConfiguration) throws -> [RawInput] {
    try configuration.source.enumerated().flatMap { index, path in
      try PairSources.identifyingFiles(of: path, configuration.options).map { found in
        let name = "source/\(index)/\(found.name)"
        return found.files.map { RawInput(name, folder: found.path, files: $0) } ?? RawInput(name, path: found.path)
      }
    }
  }

  /// Where all pictures have as many pixels as are accepted: a decoded one and its copy on white for each thread.
  public static func memory(
    _ configuration: PairsConfiguration, inputs: [String: [PlannedInput]] = [:]
  ) -> MemoryEstimate? {
    let threads = configuration.threads ?? Machine.cores
    return MemoryEstimate(
      MemoryEstimate.program + threads * configuration.pixelLimit * 7 + 2 * PairsConfiguration.chunkBytes)
  }

  public static func problem(_ configuration: PairsConfiguration, withOutput path: String) throws -> String? {
    try problem(withOutput: path, inFolders: configuration.source, of: "pictures")
  }
}
