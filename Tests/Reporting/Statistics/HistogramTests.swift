import RandomNumbers
import Statistics
import Testing

@Suite struct HistogramTests {
  @Test func `histograms and densities count every item`() {
    var generator = SplitMix64(seed: 5)
    let entropy = (0..<997).map { _ in Float(generator.index(below: 4000)) / 1000 }
    let net = (0..<997).map { _ in Float(500 + generator.index(below: 1000)) / 1000 }
    let histogram = Histogram(of: net, in: 0.5...1.5, parts: 7)
    #expect(histogram.counts.reduce(0, +) == net.count)
    #expect(histogram.counts[0] == net.count { $0 < 0.5 + 1.0 / 7 })
    let grid = DensityGrid(of: entropy, and: net, in: 0...4, 0...2, columns: 4, rows: 2)
    #expect(grid.counts[1][0] == zip(entropy, net).count { $0 < 1 && $1 >= 1 })
    #expect(grid.counts.joined().reduce(0, +) == net.count)
    let shades = DensityGrid(of: [0, 0, 0, 1], and: [0, 0, 0, 0], in: 0...2, 0...2, columns: 2, rows: 1)
    #expect(shades.shades(6) == [1, 2] && shades.levels([1, 2]) == [[2, 1]])
  }

  @Test func `a trend has the quantiles of items that are alike`() {
    let x = (0..<100).map { Float(99 - $0) }
    let trend = Trend(of: x.map { $0 * 2 }, along: x, groups: 4)
    #expect(trend.groups.map(\.count) == [25, 25, 25, 25])
    #expect(trend.groups[1].range == 25...49 && trend.groups[1].middle == 37 && trend.groups[1].median == 74)
    #expect(trend.groups[3].low < trend.groups[3].median && trend.groups[3].high == 2 * (75 + 0.95 * 24))
  }
}
