import Files

/// The path of a file in the checkout that these tests were built from.
public func checkout(_ name: String) -> String {
  "\(Files.folder(of: Files.folder(of: Files.folder(of: #filePath))))/\(name)"
}
