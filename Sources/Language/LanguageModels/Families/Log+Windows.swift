import Diagnostics

extension Log {
  /// Notes that a model is read in windows so short that its sliding window has no effect.
  ///
  /// - Parameters:
  ///   - window: the number of tokens that a token sees, itself included.
  ///   - stated: the context that the file states.
  ///   - member: the member or entry that states the window.
  static func limitingWindows(to window: Int, of stated: Int, because member: String, at source: String) {
    warning(
      "\(source): \(member) is \(window), and in longer windows it would hide tokens, which is not supported: the model is "
        + "read \(window) tokens at a time, not \(stated)")
  }
}
