import Artifacts
import Files
import JSON

/// Writes the files of a table picture by picture, in memory that grows only with the numbers of groups and classes.
public final class PairTableWriter {
  /// Half of a SHA-256, by which equal pictures and captions are found.
  private struct Digest: Hashable {
    let high: UInt64
    let low: UInt64

    init(_ sha256: String) {
      high = UInt64(sha256.prefix(16), radix: 16)!
      low = UInt64(sha256.dropFirst(16).prefix(16), radix: 16)!
    }
  }

  private let pictureFile: FileWriter
  private let captionFile: FileWriter
  private let classPath: String
  private var pictureGroups: [Digest: Int] = [:]
  private var captionGroups: [Digest: Int] = [:]
  private var labels: [String: Int] = [:]
  /// The names of the classes, in the order of their first appearance.
  public private(set) var classes: [String] = []
  public private(set) var pictures = 0
  public private(set) var captions = 0
  /// Pictures and captions that equal an earlier one.
  public var equalPictures: Int { pictures - pictureGroups.count }
  public var equalCaptions: Int { captions - captionGroups.count }

  public init(_ builder: ArtifactBuilder) throws {
    pictureFile = try FileWriter(builder.path(for: PairTable.picturesFile))
    captionFile = try FileWriter(builder.path(for: PairTable.captionsFile))
    classPath = try builder.path(for: PairTable.classesFile)
  }

  /// Adds a picture; its group, captions and label in `picture` are replaced.
  ///
  /// - Parameters:
  ///   - pixels: the SHA-256 of its pixels.
  ///   - label: the name of its class.
  public func add(_ picture: PairTable.Picture, pixels: String, label: String?, captions texts: [String]) throws {
    var picture = picture
    let position = pictures
    picture.group = Self.group(Digest(pixels), position, in: &pictureGroups)
    picture.label = label.map(index)
    picture.captions = captions..<captions + texts.count
    for text in texts {
      let group = Self.group(Digest(SHA256.hex(of: text)), captions, in: &captionGroups)
      try captionFile.write(PairTable.Caption(text, picture: position, group: group).json.compact + "\n")
      captions += 1
    }
    try pictureFile.write(picture.json.compact + "\n")
    pictures += 1
  }

  public func close() throws {
    try pictureFile.close()
    try captionFile.close()
    try AtomicFile.write(JSON.array(classes.map(JSON.string)).compact + "\n", to: classPath)
  }

  private static func group(_ digest: Digest, _ position: Int, in groups: inout [Digest: Int]) -> Int {
    if let group = groups[digest] { return group }
    groups[digest] = position
    return position
  }

  private func index(_ label: String) -> Int {
    if let index = labels[label] { return index }
    labels[label] = classes.count
    classes.append(label)
    return classes.count - 1
  }
}
