import Diagnostics

/// A drawing with two axes, as SVG inside the page: it prints, scales, and needs no scripts.
///
/// All plots have one size, small enough that text is legible where a telephone shows one below the other. A style is a
/// number from 1; styles differ in colour, and also in dashes and the shape of marks.
public struct Plot: Sendable {
  public let x: Axis
  public let y: Axis
  private var marks: [HTML] = []

  static let width = 360.0
  static let height = 232.0
  private static let (left, right, top, bottom) = (46.0, 14.0, 24.0, 38.0)
  private static let plotWidth = width - left - right
  private static let plotHeight = height - top - bottom

  public init(x: Axis, y: Axis) {
    self.x = x
    self.y = y
  }

  // MARK: Marks

  public mutating func line(_ points: [(x: Double, y: Double)], style: Int) {
    let path = points.enumerated().map { index, point in
      "\(index == 0 ? "M" : "L")\(place(across(point.x))) \(place(down(point.y)))"
    }
    marks.append("<path class=\"line s\(style)\" d=\"\(path.joined())\"/>")
  }

  /// - Parameter notes: what a reader sees who points at them, one for each or none at all.
  public mutating func dots(_ points: [(x: Double, y: Double)], style: Int, notes: [String] = []) {
    marks += points.indices.map { index in
      let (x, y) = (across(points[index].x), down(points[index].y))
      let title: HTML = index < notes.count ? "<title>\(notes[index])</title>" : .empty
      return "<path class=\"dot s\(style)\" d=\"\(Marker.path(style, x, y))\">\(title)</path>"
    }
  }

  /// Bars from the axis up, each over a range.
  public mutating func bars(_ bars: [(range: ClosedRange<Double>, value: Double, note: String)], style: Int) {
    let floor = down(max(y.range.lowerBound, 0))
    marks += bars.filter { $0.value > 0 }.map { bar in
      let (left, right) = (across(bar.range.lowerBound), across(bar.range.upperBound))
      let top = down(bar.value)
      return """
        <rect class="bar s\(style)" x="\(place(left))" y="\(place(top))" width="\(place(right - left))" \
        height="\(place(floor - top))"><title>\(bar.note)</title></rect>
        """
    }
  }

  /// A line across, at a value of the x-axis or of the y-axis.
  public mutating func rule(x value: Double) {
    rule(from: (value, y.range.lowerBound), to: (value, y.range.upperBound))
  }
  public mutating func rule(y value: Double) {
    rule(from: (x.range.lowerBound, value), to: (x.range.upperBound, value))
  }

  /// Where both axes have the same value.
  public mutating func diagonal() {
    let (low, high) = (max(x.range.lowerBound, y.range.lowerBound), min(x.range.upperBound, y.range.upperBound))
    if low < high { rule(from: (low, low), to: (high, high)) }
  }

  private mutating func rule(from start: (x: Double, y: Double), to end: (x: Double, y: Double)) {
    marks.append(
      """
      <path class="rule" d="M\(place(across(start.x))) \(place(down(start.y)))\
      L\(place(across(end.x))) \(place(down(end.y)))"/>
      """)
  }

  /// Shaded cells of a grid that fills the axes; a path for each level, so that a page stays small.
  ///
  /// - Parameter levels: for each row from below its cells from the left; 0 leaves one empty.
  public mutating func cells(_ levels: [[Int]]) {
    guard let columns = levels.first?.count, columns > 0 else { return }
    let (width, height) = (Self.plotWidth / Double(columns), Self.plotHeight / Double(levels.count))
    for level in 1...max(1, levels.joined().max() ?? 0) {
      var path = ""
      for (row, cells) in levels.enumerated() {
        for run in Self.runs(of: level, in: cells) {
          let x = Self.left + Double(run.lowerBound) * width
          let y = Self.top + Double(levels.count - 1 - row) * height
          path += "M\(place(x)) \(place(y))h\(place(Double(run.count) * width))v\(place(height))"
          path += "h\(place(-Double(run.count) * width))z"
        }
      }
      if !path.isEmpty { marks.append("<path class=\"cell d\(level)\" d=\"\(path)\"/>") }
    }
  }

  private static func runs(of level: Int, in cells: [Int]) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for index in cells.indices where cells[index] == level {
      if let last = runs.last, last.upperBound == index {
        runs[runs.count - 1] = last.lowerBound..<index + 1
      } else {
        runs.append(index..<index + 1)
      }
    }
    return runs
  }

  // MARK: Drawing

  /// - Parameter label: what it shows, for those who cannot see it.
  public func svg(label: String) -> HTML {
    """
    <svg viewBox="0 0 \(place(Self.width)) \(place(Self.height))" role="img" aria-label="\(label)">
    \(frame)
    \(marks)
    </svg>
    """
  }

  private var frame: [HTML] {
    let (bottom, right) = (Self.top + Self.plotHeight, Self.left + Self.plotWidth)
    let lines: [HTML] = y.ticks.map { tick in
      let y = down(tick.value)
      return """
        <path class="grid" d="M\(place(Self.left)) \(place(y))H\(place(right))"/>\
        <text class="end" x="\(place(Self.left - 6))" y="\(place(y + 4))">\(tick.label)</text>
        """
    }
    let feet: [HTML] = x.ticks.map { tick in
      let x = across(tick.value)
      return """
        <path class="grid" d="M\(place(x)) \(place(bottom))v4"/>\
        <text class="middle" x="\(place(x))" y="\(place(bottom + 16))">\(tick.label)</text>
        """
    }
    return lines + feet + [
      "<path class=\"axis\" d=\"M\(place(Self.left)) \(place(bottom))H\(place(right))\"/>",
      "<text class=\"start\" x=\"2\" y=\"12\">\(y.title)</text>",
      "<text class=\"end\" x=\"\(place(right))\" y=\"\(place(Self.height - 5))\">\(x.title)</text>",
    ]
  }

  private func across(_ value: Double) -> Double { Self.left + x.share(value) * Self.plotWidth }
  private func down(_ value: Double) -> Double { Self.top + (1 - y.share(value)) * Self.plotHeight }
}

/// A coordinate, to a tenth of a pixel.
func place(_ coordinate: Double) -> String {
  let text = fixed(coordinate, digits: 1)
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// The mark of a single value.
enum Marker {
  /// A circle, square, triangle or diamond around a point.
  static func path(_ style: Int, _ x: Double, _ y: Double) -> String {
    let (x, y, r) = (x, y, 3.2)
    func p(_ dx: Double, _ dy: Double) -> String { "\(place(x + dx * r)) \(place(y + dy * r))" }
    return switch (style - 1) % 4 {
    case 0: "M\(p(-1, 0))a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0z"
    case 1: "M\(p(-0.9, -0.9))L\(p(0.9, -0.9))L\(p(0.9, 0.9))L\(p(-0.9, 0.9))z"
    case 2: "M\(p(0, -1.2))L\(p(1.1, 0.8))L\(p(-1.1, 0.8))z"
    default: "M\(p(0, -1.3))L\(p(1.3, 0))L\(p(0, 1.3))L\(p(-1.3, 0))z"
    }
  }
}
