import Diagnostics
import Files

extension GGUFWriter {
  /// Copies a file byte for byte, with further metadata after its own.
  ///
  /// Offsets of tensors count from the start of the data, so that the data may move as long as they stay aligned.
  ///
  /// - Throws: `Failure(.badData)` where the file has an entry of the same name.
  public static func copy(_ file: GGUFFile, adding entries: [(key: String, value: Value)], to path: String) throws {
    for (key, _) in entries where file.metadata[key] != nil {
      throw file.metadata.failure(key, "is there already")
    }
    guard file.furtherParts == 0 else {
      throw Failure(
        .badData, "is in \(file.furtherParts + 1) parts; \(GGUFSplit.remedy(file.path))", at: file.path)
    }
    let sections = file.sections
    let writer = try FileWriter(path)
    try putHeader(
      version: sections.version, tensors: file.tensors.count, entries: file.metadata.keys.count + entries.count, writer)
    try writer.write(file.bytes(sections.metadata))
    try put(entries, writer)
    try writer.write(file.bytes(sections.tensorHeads))
    try pad(writer, to: sections.alignment)
    try writer.write(file.bytes(sections.data))
    try writer.synchronise()
    try writer.close()
  }
}
