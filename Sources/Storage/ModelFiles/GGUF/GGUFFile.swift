import Diagnostics
import Files

/// A GGUF file (versions 2 and 3), mapped into memory. Opening reads metadata and the list of tensors; a tensor's bytes are
/// read when they are used. The first part of a model in several files opens the others.
///
/// The layout: `GGUF`, version, number of tensors, number of metadata entries; the entries; for each tensor its name,
/// dimensions (innermost first), type and offset; then the data, aligned. Opening checks all of it, so that no later access can
/// leave the file; a damaged file is refused with `.badData`, its path and the field at fault.
public final class GGUFFile: Sendable {
  public let path: String
  /// In the order of the file, then those of further parts.
  public let tensors: [GGUFTensor]
  public let metadata: GGUFMetadata
  private let byName: [[UInt8]: Int]
  private let file: MappedFile
  let sections: Sections
  /// How many further files belong to the model.
  let furtherParts: Int

  /// The file's sections and its alignment, for copies byte for byte.
  struct Sections: Sendable {
    let version: UInt32
    let metadata: Range<Int>
    let tensorHeads: Range<Int>
    let alignment: Int
    let data: Range<Int>
  }

  static let magic: [UInt8] = Array("GGUF".utf8)
  static let alignmentKey = "general.alignment"
  static let defaultAlignment = 32
  /// The most dimensions that any tool writes.
  private static let mostDimensions = 4

  /// Whether a file begins as GGUF files do.
  public static func isGGUF(_ path: String) throws -> Bool { try FileReader(path).read(upTo: 4) == magic }

  /// - Throws: `Failure` with `.missingInput`, `.inputOutput` or `.badData`.
  public convenience init(_ path: String) throws { try self.init(path, isPart: false) }

  /// - Parameter isPart: whether the file is a further part of a model.
  private init(_ path: String, isPart: Bool) throws {
    let file = try MappedFile(path)
    var cursor = GGUFCursor(file: file)
    let (version, tensorCount, entryCount) = try Self.readHeader(&cursor)
    let metadataStart = cursor.offset
    let metadata = try GGUFMetadata(reading: &cursor, count: entryCount)
    let headsStart = cursor.offset
    let heads = try (0..<tensorCount).map { try TensorHead(reading: &cursor, index: $0, most: Self.mostDimensions) }
    let alignment = try Self.alignment(metadata)
    let dataStart = Self.aligned(cursor.offset, to: alignment)
    let own = try heads.map { head in
      GGUFTensor(
        name: head.name, type: head.type, shape: head.shape, file: file,
        bytes: try head.place(in: file, from: dataStart, alignment: alignment))
    }
    try Self.checkThatNoneOverlap(own, path)
    let further = try isPart ? [] : Self.openParts(metadata)
    let tensors = own + further.flatMap(\.tensors)
    try Self.checkCount(tensors.count, metadata, isWhole: !further.isEmpty)
    furtherParts = further.count
    self.path = path
    self.file = file
    sections = Sections(
      version: version, metadata: metadataStart..<headsStart, tensorHeads: headsStart..<cursor.offset,
      alignment: alignment, data: min(dataStart, file.count)..<file.count)
    self.tensors = tensors
    self.metadata = metadata
    byName = try tensors.enumerated().reduce(into: [:]) { table, entry in
      guard table.updateValue(entry.offset, forKey: Array(entry.element.name.utf8)) == nil else {
        throw Failure(.badData, "holds two tensors \"\(entry.element.name)\"", at: path)
      }
    }
  }

  /// Opens the further parts of a model whose first part has this metadata.
  private static func openParts(_ metadata: GGUFMetadata) throws -> [GGUFFile] {
    let parts = try GGUFSplit.furtherParts(of: metadata)
    return try parts.enumerated().map { index, part in
      let file = try GGUFFile(part.path, isPart: true)
      let (number, count) = (
        try file.metadata.integer(ifPresent: GGUFSplit.numberKey),
        try file.metadata.integer(ifPresent: GGUFSplit.countKey)
      )
      guard number == index + 1, count == parts.count + 1 else {
        func said(_ value: Int?) -> String { value.map(String.init) ?? "missing" }
        throw Failure(
          .badData,
          "\(GGUFSplit.numberKey) is \(said(number)) and \(GGUFSplit.countKey) \(said(count)), expected \(index + 1) and "
            + "\(parts.count + 1): not a part of \(metadata.path)", at: part.path)
      }
      return file
    }
  }

  /// Compares the number of tensors in all parts with the metadata's.
  private static func checkCount(_ count: Int, _ metadata: GGUFMetadata, isWhole: Bool) throws {
    guard isWhole, let stated = try metadata.integer(ifPresent: GGUFSplit.tensorsKey), stated != count else { return }
    throw metadata.failure(GGUFSplit.tensorsKey, "is \(stated), but the parts hold \(count) tensors")
  }

  public subscript(name: String) -> GGUFTensor? { byName[Array(name.utf8)].map { tensors[$0] } }

  func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: file.bytes[range]) }

  private static func readHeader(
    _ cursor: inout GGUFCursor
  ) throws -> (version: UInt32, tensors: Int, entries: Int) {
    let path = cursor.file.path
    for byte in magic {
      guard try cursor.integer(UInt8.self, "the file's mark") == byte else {
        throw Failure(.badData, "does not begin with GGUF", at: path)
      }
    }
    let version = try cursor.integer(UInt32.self, "the version")
    guard version == 2 || version == 3 else {
      let isSwapped = (1...3).contains(version.byteSwapped)
      throw Failure(
        .badData, isSwapped ? "is big-endian, which is not supported" : "is version \(version); supported are 2 and 3",
        at: path)
    }
    // A tensor takes a name, a number of dimensions, a type and an offset; an entry a key, a kind and a byte.
    let tensors = try cursor.count("the number of tensors", eachAtLeast: 24)
    return (version, tensors, try cursor.count("the number of metadata entries", eachAtLeast: 13))
  }

  /// The first multiple of an alignment from an offset on.
  static func aligned(_ offset: Int, to alignment: Int) -> Int { (offset + alignment - 1) / alignment * alignment }

  private static func alignment(_ metadata: GGUFMetadata) throws -> Int {
    let alignment = try metadata.integer(ifPresent: alignmentKey) ?? defaultAlignment
    guard (1...1 << 20).contains(alignment), alignment & (alignment - 1) == 0 else {
      throw metadata.failure(alignmentKey, "is \(alignment), not a power of two up to 2^20")
    }
    return alignment
  }

  private static func checkThatNoneOverlap(_ tensors: [GGUFTensor], _ path: String) throws {
    let ordered = tensors.sorted {
      ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound)
    }
    for (a, b) in zip(ordered, ordered.dropFirst()) where b.bytes.lowerBound < a.bytes.upperBound {
      throw Failure(.badData, "the data of \"\(a.name)\" and \"\(b.name)\" overlap", at: path)
    }
  }
}

/// An entry of the list of tensors.
private struct TensorHead {
  let name: String
  let type: GGUFTensorType
  let shape: [Int]
  let offset: UInt64
  let size: Int

  init(reading cursor: inout GGUFCursor, index: Int, most: Int) throws {
    let name = try cursor.name("the name of tensor \(index)")
    let place = "\(cursor.file.path), \"\(name)\""
    let rank = try cursor.integer(UInt32.self, "the rank of \"\(name)\"")
    guard rank <= most else { throw Failure(.badData, "has \(rank) dimensions; at most \(most) are known", at: place) }
    // Innermost first in the file.
    let shape = try (0..<rank).map { _ in
      let size = try cursor.integer(UInt64.self, "a dimension of \"\(name)\"")
      guard size > 0, let size = Int(exactly: size) else { throw Failure(.badData, "has a size of \(size)", at: place) }
      return size
    }
    let raw = try cursor.integer(UInt32.self, "the type of \"\(name)\"")
    guard let type = GGUFTensorType(rawValue: raw) else {
      let known = GGUFTensorType.allCases.map(\.name).joined(separator: ", ")
      throw Failure(
        .badData, "is of type \(GGUFTensorType.name(of: raw)), which is not supported; supported are \(known)",
        at: place)
    }
    guard (shape.first ?? 1) % type.blockCount == 0 else {
      throw Failure(
        .badData, "has rows of \(shape.first ?? 1) numbers, not whole blocks of \(type.blockCount) (\(type.name))",
        at: place)
    }
    var (count, overflow) = (1, false)
    for size in shape where !overflow { (count, overflow) = count.multipliedReportingOverflow(by: size) }
    // The size in float32, four bytes a number, must not overflow either.
    guard !overflow, count <= Int.max / 256 else { throw Failure(.badData, "has too many numbers", at: place) }
    self.name = name
    self.type = type
    self.shape = shape.reversed()
    size = count / type.blockCount * type.blockSize
    offset = try cursor.integer(UInt64.self, "the offset of \"\(name)\"")
  }

  func place(in file: MappedFile, from start: Int, alignment: Int) throws -> Range<Int> {
    func failure(_ message: String) -> Failure { Failure(.badData, message, at: "\(file.path), \"\(name)\"") }
    guard offset % UInt64(alignment) == 0 else {
      throw failure("lies at \(offset), which is not a multiple of the alignment, \(alignment)")
    }
    let room = max(0, file.count - start)
    guard offset <= UInt64(room), size <= room - Int(offset) else {
      throw failure("takes \(size) bytes at \(offset), but there are \(room) bytes of data")
    }
    return start + Int(offset)..<start + Int(offset) + size
  }
}
