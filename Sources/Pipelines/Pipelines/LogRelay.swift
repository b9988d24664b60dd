import Diagnostics
import Files
import Glibc

/// Passes a stage's log lines on to the runner's output. The stage writes its log file itself, so that nothing is lost
/// when the runner ends; the relay follows the file.
struct LogRelay: Sendable {
  private static let interval = Duration.milliseconds(200)

  let path: String
  /// Begins each line, because stages that run side by side print together.
  let prefix: String

  /// Passes on lines that are added to the file, until the task is cancelled and the end of the file is reached.
  ///
  /// - Parameter start: the offset to begin at; the log of an earlier attempt is not repeated.
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

  /// Bytes that were added since the last look; none where the log cannot be read.
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
