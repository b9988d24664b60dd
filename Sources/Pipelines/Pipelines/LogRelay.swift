import Diagnostics
import Files
import Glibc

/// Passes on what a stage prints. The stage writes into its log file itself, so that nothing is lost whatever becomes
/// of the runner; this follows the file.
struct LogRelay: Sendable {
  private static let interval = Duration.milliseconds(200)

  let path: String
  /// Stands before each line: stages that run side by side print together.
  let prefix: String

  /// Passes on lines that are added to the file, until the task is cancelled and the file's end is reached.
  ///
  /// - Parameter start: where in the file to begin; the log of an earlier attempt is not repeated.
  func follow(from start: Int) async {
    var (position, pending) = (start, [UInt8]())
    while true {
      let isLast = (try? await Task.sleep(for: Self.interval)) == nil
      pending += read(from: &position)
      while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        show(pending[..<end])
        pending.removeSubrange(...end)
      }
      guard isLast else { continue }
      if !pending.isEmpty { show(pending[...]) }
      return
    }
  }

  var size: Int { ((try? Files.status(path)) ?? nil)?.size ?? 0 }

  private func show(_ line: ArraySlice<UInt8>) { Log.note("\(prefix)\(String(decoding: line, as: UTF8.self))") }

  /// What has been added since; a log that cannot be read is only not shown.
  private func read(from position: inout Int) -> [UInt8] {
    // Most looks find nothing new.
    guard size > position, let file = fopen(path, "re") else { return [] }
    defer { fclose(file) }
    guard fseek(file, position, SEEK_SET) == 0 else { return [] }
    var bytes = [UInt8]()
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    position += bytes.count
    return bytes
  }
}
