import Artifacts
import LanguageModels
import TestSupport
import Testing

@Suite(.enabled(if: slowTestsEnabled)) struct FuzzTests {
  private static let fixtures = Files.folder(of: #filePath) + "/Fixtures"

  @Test func `configurations of models`() throws {
    let published = try Files.list(Self.fixtures).map { "\(Self.fixtures)/\($0)/config.json" }.filter(Files.exists)
    try #require(!published.isEmpty)
    try fuzz(try published.map { try Files.read($0) }, as: "config.json") { path in
      let json = try JSON(parsing: Files.read(path), source: path)
      let (_, configuration) = try ModelFamily.read(json, source: path)
      _ = configuration.parameters.count
      _ = try ModelConfiguration(configuration.json, source: path)
    }
  }
}
