import Artifacts
import Diagnostics

extension JSONFields {
  /// A string that must be one of a few.
  mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String) throws -> Choice {
    let text = try string(name)
    guard let choice = Choice(rawValue: text) else {
      let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw failure(name, "is \"\(text)\", expected one of \(names)")
    }
    return choice
  }
}
