import Glibc
import Synchronization

/// Messages for people, on standard error. Standard output is reserved for results.
public enum Log {
  private static let quiet = Atomic<Bool>(false)

  /// With `--quiet` nothing is said unless something fails: cron mails whatever is printed.
  public static func setQuiet(_ value: Bool) { quiet.store(value, ordering: .relaxed) }
  public static var isQuiet: Bool { quiet.load(ordering: .relaxed) }

  public static func note(_ message: String) { if !isQuiet { write(message) } }
  public static func warning(_ message: String) { if !isQuiet { write("warning: \(message)") } }
  /// Errors are printed even when quiet.
  ///
  /// - Parameter program: stands before the message, as in `tempnet-fit: error: ...`.
  public static func error(_ message: String, by program: String? = nil) {
    write("\(program.map { "\($0): " } ?? "")error: \(message)")
  }

  private static func write(_ line: String) {
    Progress.eraseBar()
    writeToStandardError(printable(line) + "\n")
  }

  /// Escapes control characters, which names and texts of files may hold and a terminal would obey.
  private static func printable(_ line: String) -> String {
    func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
      scalar.value < 0x20 && scalar != "\n" && scalar != "\t" || 0x7F...0x9F ~= scalar.value
    }
    guard line.unicodeScalars.contains(where: isObeyed) else { return line }
    return line.unicodeScalars.reduce(into: "") { text, scalar in
      if isObeyed(scalar) {
        text += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
}

/// One `write` per message, so that lines of several processes do not run into each other.
func writeToStandardError(_ text: String) {
  var text = text
  text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
