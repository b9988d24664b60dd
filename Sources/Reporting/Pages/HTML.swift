/// A piece of a page.
///
/// The characters of a literal are markup. An interpolated value is text, which is escaped, unless it is a piece of a
/// page itself:
///
///     let cell: HTML = "<td>\(name)</td>"         // safe whatever the name is
///     let row: HTML = "<tr>\(cell)</tr>"
public struct HTML: Equatable, Sendable {
  public let markup: String

  /// Takes a text for markup, as it is.
  init(markup: String) { self.markup = markup }

  /// Pieces one after the other.
  public init(_ parts: [HTML], separator: String = "\n") {
    markup = parts.map(\.markup).joined(separator: separator)
  }

  public static let empty = HTML(markup: "")
  public var isEmpty: Bool { markup.isEmpty }

  public static func + (a: HTML, b: HTML) -> HTML { HTML(markup: a.markup + b.markup) }
}

extension HTML: ExpressibleByStringInterpolation {
  public init(stringLiteral value: String) { markup = value }
  public init(stringInterpolation interpolation: StringInterpolation) { markup = interpolation.markup }

  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var markup = ""

    public init(literalCapacity: Int, interpolationCount: Int) { markup.reserveCapacity(2 * literalCapacity) }

    public mutating func appendLiteral(_ literal: String) { markup += literal }
    public mutating func appendInterpolation(_ text: String) { markup += escaped(text) }
    public mutating func appendInterpolation(_ number: Int) { markup += "\(number)" }
    public mutating func appendInterpolation(_ piece: HTML) { markup += piece.markup }
    public mutating func appendInterpolation(_ pieces: [HTML]) { markup += HTML(pieces).markup }
  }
}

/// Text with everything escaped that could be taken for markup, in elements and in quoted attributes; characters that
/// no page may hold become U+FFFD.
func escaped(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    case "\t", "\n": result.unicodeScalars.append(scalar)
    case "\0"..<" ", "\u{7F}"..<"\u{A0}": result += "\u{FFFD}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
