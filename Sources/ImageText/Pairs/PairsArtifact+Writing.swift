import Artifacts
import Files
import JSON
import WireFormats

extension PairsArtifact {
  /// A sample that could not be used.
  public struct LeftOut: Equatable, Sendable {
    public var source: String
    public var member: String
    public var reason: String

    public init(source: String, member: String, reason: String) {
      (self.source, self.member, self.reason) = (source, member, reason)
    }

    public var json: JSON { ["source": .string(source), "member": .string(member), "reason": .string(reason)] }
  }

  /// Writes all files of the artifact at once, from memory.
  ///
  /// - Parameter pixels: size x size x 3 bytes for each picture of the table.
  public static func write(
    _ builder: ArtifactBuilder, table: PairTable, size: Int, pixels: [UInt8], sources: [PairSource] = [],
    leftOut: [LeftOut] = []
  ) throws {
    precondition(pixels.count == table.pictures.count * size * size * 3, "\(pixels.count) bytes of pixels")
    try table.write(builder)
    let file = try FileWriter(builder.path(for: pixelsFile))
    try file.write(NumpyArray.byteHeader(shape: [table.pictures.count, size, size, 3]))
    try file.write(pixels)
    try file.close()
    try write(sources, to: builder.path(for: sourcesFile))
    let list = try FileWriter(builder.path(for: leftOutFile))
    for sample in leftOut { try list.write(sample.json.compact + "\n") }
    try list.close()
  }

  public static func write(_ sources: [PairSource], to path: String) throws {
    try AtomicFile.write(JSON.array(sources.map(\.json)).pretty, to: path)
  }
}
