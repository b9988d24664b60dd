import Configuration
import Diagnostics
import StageDescriptions

/// One stage of a pipeline as the file describes it.
public struct StageSpecification: Sendable {
  /// `tempnet`, or `tempnet@rho=6` for one combination of a matrix.
  public internal(set) var name: String
  /// Its name in the file.
  public let family: String
  public let description: any StageDescription.Type
  /// The settings under `with:`, and the values of the combination.
  public internal(set) var configuration: YAMLNode
  public internal(set) var inputs: [StageLink]
  let matrix: Matrix?
  /// The number of threads; nil for a stage that chooses it and has the whole machine.
  public let cores: Int?
  /// In bytes.
  public let memory: Int?
  /// How often the stage is repeated after a crash or an input/output error.
  public let retries: Int
  public let place: Place

  /// The stages of the pipeline whose results it reads.
  public var dependencies: Set<String> {
    Set(inputs.flatMap(\.sources).compactMap { if case .stage(let name) = $0 { name } else { nil } })
  }

  /// The names in the file of the stages that it reads from.
  var families: Set<String> { Set(dependencies.map { MatrixChoice($0).family }) }

  init(name: String, reading reader: inout ConfigurationReader, known: [any StageDescription.Type]) throws {
    guard name.isIdentifier else {
      throw Failure(
        .badConfiguration, "a stage cannot be named '\(name)': use letters, digits, - and _", at: "\(reader.place)")
    }
    self.name = name
    family = name
    place = reader.place
    let run = try reader.string("run", help: "which stage it is")
    let nothing = YAMLNode(.mapping([]), at: reader.place)
    configuration = try reader.value("with", as: .yaml, default: nothing, help: "its configuration")
    inputs = try StageLink.links(try reader.value("from", as: .yaml, default: nothing, help: "what it reads"))
    let matrix = try reader.value("matrix", as: .optional(.yaml), default: .some(nil), help: "settings in combinations")
    self.matrix = try matrix.map(Matrix.init)
    cores = try reader.optionalInteger("cores", in: 1...1024, help: "the cores it computes with")
    memory = try reader.value("memory", as: .optional(.memory), default: .some(nil), help: "the memory it needs")
    retries = try reader.integer("retries", default: 0, in: 0...100, help: "how often a crash is tried again")
    guard let description = known.first(where: { $0.name == run }) else {
      let names = known.map { $0.name }
      let hint =
        nearest(to: run, in: names).map { "did you mean '\($0)'?" } ?? "known are \(names.joined(separator: ", "))"
      throw reader.failure("run", "is not a stage: '\(run)'; \(hint)")
    }
    self.description = description
    for key in self.matrix?.keys ?? [] {
      guard let given = configuration.value(of: key) else { continue }
      throw Failure(.badConfiguration, "\(name): \(key) is given under with and under matrix", at: "\(given.place)")
    }
  }
}

/// An input of a stage and where it comes from.
public struct StageLink: Sendable {
  public enum Source: Equatable, Sendable {
    /// The result of a stage of the same pipeline.
    case stage(String)
    /// An artifact of another run, or a model from elsewhere.
    case path(String)
  }

  public let name: String
  public let sources: [Source]
  public let place: Place

  static func links(_ node: YAMLNode) throws -> [StageLink] {
    guard let entries = node.isNull ? [] : node.mapping else {
      throw Failure(
        .badConfiguration, "from must be a mapping from inputs to stages, not \(node.abridged)", at: "\(node.place)")
    }
    return try entries.map { entry in
      let sources = try (entry.value.sequence ?? [entry.value]).map { node in
        guard let text = node.isNull ? nil : node.scalar?.text, !text.isEmpty else {
          throw Failure(.badConfiguration, "expected the name of a stage, not \(node.abridged)", at: "\(node.place)")
        }
        return text.utf8.contains(UInt8(ascii: "/")) ? Source.path(text) : .stage(text)
      }
      return StageLink(name: entry.key, sources: sources, place: entry.value.place)
    }
  }
}

extension YAMLNode {
  /// The value of a key such as `model.width`, or of a section that contains it or lies in it; nil where there is none.
  fileprivate func value(of key: String) -> YAMLNode? { value(at: key.split(separator: ".").map(String.init)[...]) }

  private func value(at path: ArraySlice<String>) -> YAMLNode? {
    guard let key = path.first else { return self }
    guard mapping != nil else { return isNull ? nil : self }
    return self[key]?.value(at: path.dropFirst())
  }
}

extension String {
  /// Whether it may be the name of a stage, and so of a file.
  var isIdentifier: Bool {
    !isEmpty && utf8.count <= 100
      && unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_".unicodeScalars.contains($0))
      }
  }

  /// In bytes. A file's name may have 255, including suffixes.
  static let longestPipelineName = 180
}

extension Unicode.Scalar {
  /// Letters, marks and digits of all scripts, and two signs.
  var isInPipelineNames: Bool {
    if isASCII { return properties.isAlphabetic || "0123456789-_".unicodeScalars.contains(self) }
    return switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
      .spacingMark, .decimalNumber, .letterNumber:
      true
    default: false
    }
  }
}

extension ConfigurationType<String> {
  /// The name of a pipeline, which becomes the name of files.
  static var pipelineName: Self {
    Self(
      "a name of letters, digits, - and _", specimen: "name",
      decode: { node in
        guard let text = node.scalar?.text, !text.isEmpty,
          text.utf8.count <= String.longestPipelineName, text.unicodeScalars.allSatisfy(\.isInPipelineNames)
        else { return nil }
        return text
      }, encode: { .string($0) })
  }
}

extension ConfigurationType<Int> {
  private static let units = ["KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40]

  /// An amount of memory such as `4 GiB` or `0.5GiB`; in bytes.
  static var memory: Self {
    Self(
      "an amount such as 500 MiB or 4 GiB", specimen: 0,
      decode: { node in
        guard let text = node.scalar?.text, let unit = units.first(where: { text.hasSuffix($0.key) }),
          let amount = Double(text.dropLast(unit.key.count).trimming(while: { $0 == " " })),
          (0...1e6).contains(amount)
        else { return nil }
        return Int(amount * Double(unit.value))
      }, encode: { .string("\($0 >> 10) KiB") })
  }
}

extension Substring {
  fileprivate func trimming(while isTrimmed: (Character) -> Bool) -> Substring {
    self[..<(lastIndex { !isTrimmed($0) }.map { index(after: $0) } ?? startIndex)]
  }
}
