import Files

/// The path of a file in the checkout that these tests were built from.
public func checkout(_ name: String) -> String {
  "\(Files.folder(of: Files.folder(of: Files.folder(of: #filePath))))/\(name)"
}

/// The path of a file in the folder `Fixtures` beside the calling test.
public func fixture(_ name: String, file: String = #filePath) -> String { "\(Files.folder(of: file))/Fixtures/\(name)" }
