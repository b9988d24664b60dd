import Files
import JSON
import TestSupport
import Testing

/// Numbers of scipy, statsmodels and NumPy; see Fixtures/README.md.
struct ReferenceNumbers {
  private let json: JSON

  init() throws {
    let path = fixture("statistics.json")
    json = try JSON(parsing: Files.read(path), source: path)
  }

  private init(_ json: JSON) { self.json = json }

  subscript(name: String) -> ReferenceNumbers {
    get throws { ReferenceNumbers(try #require(json[name], "no \(name) in the fixture")) }
  }

  func number(_ name: String) throws -> Double { try #require(json[name]?.doubleValue, "no number \(name)") }
  func integer(_ name: String) throws -> Int { try #require(json[name]?.intValue, "no integer \(name)") }
  func numbers(_ name: String) throws -> [Double] { try #require(json[name]?.arrayValue).compactMap(\.doubleValue) }
  func integers(_ name: String) throws -> [Int] { try #require(json[name]?.arrayValue).compactMap(\.intValue) }
  func rows(_ name: String) throws -> [[Double]] {
    try #require(json[name]?.arrayValue).map { ($0.arrayValue ?? []).compactMap(\.doubleValue) }
  }
}

/// Whether two numbers agree to a relative error.
func agree(_ a: Double, _ b: Double, within error: Double) -> Bool { abs(a - b) <= error * max(abs(b), 1e-300) }
