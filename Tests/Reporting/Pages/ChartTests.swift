import Testing

@testable import Pages

@Suite struct ChartTests {
  @Test(arguments: [
    (0.0...1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    (-0.13...0.02, ["-0.15", "-0.10", "-0.05", "0.00", "0.05"]),
    (0...320, ["0", "100", "200", "300", "400"]), (0...90_000, ["0", "20k", "40k", "60k", "80k", "100k"]),
    (0.9...1.1, ["0.90", "0.95", "1.00", "1.05", "1.10"]), (0...3, ["0", "1", "2", "3"]),
    (1_000_000...3_500_000, ["1000k", "1500k", "2000k", "2500k", "3000k", "3500k"]),
  ])
  func `an axis has round numbers that cover what it has to hold`(range: ClosedRange<Double>, labels: [String]) {
    let axis = Axis("x", covering: range)
    #expect(axis.ticks.map(\.label) == labels)
    #expect(axis.range.lowerBound <= range.lowerBound + 1e-9 && axis.range.upperBound >= range.upperBound - 1e-9)
    #expect(axis.ticks.first?.value == axis.range.lowerBound)
    #expect(abs(axis.ticks.last!.value - axis.range.upperBound) < 1e-9 * abs(axis.range.upperBound))
  }

  @Test(arguments: [0.0, 1, -3.5, 1e-12, 1e15, 0.1 + 0.2])
  func `a range without width still gives an axis around it`(value: Double) {
    let axis = Axis("x", covering: [value, value])
    #expect(axis.range.lowerBound < value && value < axis.range.upperBound)
    #expect((2...12).contains(axis.ticks.count))
    #expect(Axis("x", covering: [] as [Double]).range == 0...1)
  }

  @Test func `marks lie where the axes put them, and within the frame whatever their value`() {
    var plot = Plot(x: Axis("x", covering: 0...10.0), y: Axis("y", covering: 0...1.0))
    plot.line([(x: 0, y: 0), (x: 10, y: 1), (x: 99, y: -5)], style: 2)
    // The frame is 300 wide from 46 on and 170 high from 24 on.
    #expect(plot.svg(label: "l").markup.contains("<path class=\"line s2\" d=\"M46 194L346 24L346 194\"/>"))
  }

  @Test func `neighbouring cells of one shade are drawn as one`() {
    var plot = Plot(x: Axis("x", covering: 0...4.0), y: Axis("y", covering: 0...2.0))
    plot.cells([[1, 1, 0, 2], [0, 0, 0, 1]])
    let markup = plot.svg(label: "l").markup
    #expect(markup.contains("<path class=\"cell d1\" d=\"M46 109h150v85h-150zM271 24h75v85h-75z\"/>"))
    #expect(markup.contains("<path class=\"cell d2\" d=\"M271 109h75v85h-75z\"/>"))
  }

  @Test func `words in a chart are escaped`() {
    let row = SpanChart.Row("<b>", note: "&", range: 1...2, mark: 1.5, isStrong: false)
    let chart = SpanChart(Axis("'", covering: 0...3.0), rows: [row], reference: 0)
    let figure = Figure("<i>", chart.svg(label: "\""), keys: [.line("<u>", style: 1)], note: "<n>").html.markup
    for raw in ["<b>", "<i>", "<u>", "<n>", ">&<", "label=\"\"\""] { #expect(!figure.contains(raw)) }
    #expect(figure.contains("dot s1 hollow"))
  }
}
