/// Ranges along one axis, a row for each, with its words above it: intervals of estimates, or times of work.
public struct SpanChart: Sendable {
  public struct Row: Sendable {
    public let label: String
    /// Figures, at the right end.
    public let note: String
    public let range: ClosedRange<Double>
    /// A mark within the range; a range without one is drawn as a bar.
    public let mark: Double?
    /// Whether the mark is filled.
    public let isStrong: Bool

    public init(_ label: String, note: String, range: ClosedRange<Double>, mark: Double? = nil, isStrong: Bool = true) {
      self.label = label
      self.note = note
      self.range = range
      self.mark = mark
      self.isStrong = isStrong
    }
  }

  public let axis: Axis
  public let rows: [Row]
  /// A value that a line marks.
  public let reference: Double?

  public init(_ axis: Axis, rows: [Row], reference: Double? = nil) {
    self.axis = axis
    self.rows = rows
    self.reference = reference
  }

  private static let width = Plot.width
  private static let rowHeight = 36.0
  private static let (left, right, top, bottom) = (24.0, 24.0, 6.0, 38.0)

  public func svg(label: String) -> HTML {
    let end = Self.top + Double(rows.count) * Self.rowHeight
    let ticks: [HTML] = axis.ticks.map { tick in
      let x = place(across(tick.value))
      return """
        <path class="grid" d="M\(x) \(place(Self.top))V\(place(end + 4))"/>\
        <text class="middle" x="\(x)" y="\(place(end + 17))">\(tick.label)</text>
        """
    }
    let line: HTML =
      reference.map { "<path class=\"rule\" d=\"M\(place(across($0))) \(place(Self.top))V\(place(end))\"/>" } ?? .empty
    return """
      <svg viewBox="0 0 \(place(Self.width)) \(place(end + Self.bottom))" role="img" aria-label="\(label)">
      \(ticks)
      \(line)
      \(rows.indices.map(row))
      <text class="end" x="\(place(Self.width - Self.right))" y="\(place(end + 33))">\(axis.title)</text>
      </svg>
      """
  }

  private func row(_ index: Int) -> HTML {
    let row = rows[index]
    let y = Self.top + Double(index) * Self.rowHeight
    let (low, high) = (across(row.range.lowerBound), across(row.range.upperBound))
    let drawing: HTML
    if let mark = row.mark {
      drawing = """
        <path class="line s1" d="M\(place(low)) \(place(y + 24))H\(place(high))M\(place(low)) \(place(y + 20))v8\
        M\(place(high)) \(place(y + 20))v8"/>\
        <path class="dot s1\(row.isStrong ? "" : " hollow")" d="\(Marker.path(1, across(mark), y + 24))"/>
        """
    } else {
      drawing = """
        <rect class="bar s1" x="\(place(low))" y="\(place(y + 19))" width="\(place(max(high - low, 1)))" height="10"/>
        """
    }
    return """
      <text class="start strong" x="0" y="\(place(y + 13))">\(row.label)</text>\
      <text class="end" x="\(place(Self.width))" y="\(place(y + 13))">\(row.note)</text>\(drawing)
      """
  }

  private func across(_ value: Double) -> Double {
    Self.left + axis.share(value) * (Self.width - Self.left - Self.right)
  }
}
