extension String {
  /// Whether this can safely be part of names of files and tensors.
  public var isPlainName: Bool { wholeMatch(of: /[A-Za-z0-9_-][A-Za-z0-9._-]*/) != nil }

  public static let plainNameRule = "a name has letters, digits, '-', '_' and '.', the last not at its start"
}
