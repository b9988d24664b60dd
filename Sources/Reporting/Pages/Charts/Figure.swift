/// A chart with its title, a legend and a sentence.
public struct Figure: Sendable {
  /// The meaning of a mark of a chart.
  public enum Key: Sendable {
    case line(String, style: Int)
    case dot(String, style: Int)
    case rule(String)
    /// Shades of cells, from the faintest, and the numbers that they begin at.
    case shades([Int], String)
  }

  public let title: String
  public let drawing: HTML
  public let keys: [Key]
  public let note: String?

  public init(_ title: String, _ drawing: HTML, keys: [Key] = [], note: String? = nil) {
    self.title = title
    self.drawing = drawing
    self.keys = keys
    self.note = note
  }

  public var html: HTML {
    let legend: HTML = keys.isEmpty ? .empty : "<p class=\"legend\">\(keys.map(Self.html))</p>"
    let words: HTML = note.map { "<p class=\"note\">\($0)</p>" } ?? .empty
    // Three parts, so that drawings side by side can stand at one height.
    return "<figure>\n<figcaption>\(title)</figcaption>\n\(drawing)\n<div>\(legend)\(words)</div>\n</figure>"
  }

  private static func html(_ key: Key) -> HTML {
    switch key {
    case .line(let name, let style): item(name, "<path class=\"line s\(style)\" d=\"M1 6H23\"/>")
    case .dot(let name, let style): item(name, "<path class=\"dot s\(style)\" d=\"\(Marker.path(style, 12, 6))\"/>")
    case .rule(let name): item(name, "<path class=\"rule\" d=\"M1 6H23\"/>")
    case .shades(let numbers, let unit):
      HTML(
        numbers.enumerated().map { index, number in
          item(
            "\(number)" + (index == numbers.count - 1 ? " \(unit)" : ""),
            "<path class=\"cell d\(index + 1)\" d=\"M4 0h14v12h-14z\"/>")
        })
    }
  }

  private static func item(_ name: String, _ mark: HTML) -> HTML {
    "<span><svg class=\"key\" viewBox=\"0 0 24 12\" aria-hidden=\"true\">\(mark)</svg>\(name)</span>"
  }
}

extension HTML {
  /// Figures side by side where there is room, one below the other where there is not.
  public static func figures(_ figures: [Figure]) -> HTML {
    figures.isEmpty ? .empty : "<div class=\"figures\">\n\(figures.map(\.html))\n</div>"
  }
}
