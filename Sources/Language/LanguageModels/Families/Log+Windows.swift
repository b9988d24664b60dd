import Diagnostics

extension Log {
  /// Says that a model is read only in windows in which its sliding window changes nothing.
  ///
  /// - Parameters:
  ///   - window: tokens that a token sees, itself included.
  ///   - stated: the context that the file states.
  ///   - member: what states the window.
  static func limitingWindows(to window: Int, of stated: Int, because member: String, at source: String) {
    warning(
      "\(source): \(member) is \(window), and in longer windows it would hide tokens, which is not supported: the model is "
        + "read \(window) tokens at a time, not \(stated)")
  }
}
