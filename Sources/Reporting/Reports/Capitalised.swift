extension String {
  /// With a capital at the start of a line.
  public var capitalised: String { prefix(1).uppercased() + dropFirst() }
}
