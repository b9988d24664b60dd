import Glibc

/// libarchive converts names by the locale of the thread; the programs run in the C locale, which knows only ASCII.
enum CharacterSet {
  private nonisolated(unsafe) static let locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil)

  /// Runs `body` with UTF-8 as the thread's character set.
  static func utf8<Result>(_ body: () -> Result) -> Result {
    guard let locale else { return body() }
    let previous = uselocale(locale)
    defer { uselocale(previous) }
    return body()
  }
}
