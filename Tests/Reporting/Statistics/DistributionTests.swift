import Statistics
import Testing

@Suite struct DistributionTests {
  private let numbers: ReferenceNumbers
  init() throws { numbers = try ReferenceNumbers()["quantiles"] }

  @Test func `quantiles of Student's t are scipy's`() throws {
    for row in try numbers.rows("t") {
      let value = StudentT(row[0]).quantile(upperTail: row[1])
      #expect(agree(value, row[2], within: 1e-10), "t with \(row[0]) degrees beyond \(row[1]): \(value), not \(row[2])")
    }
  }

  @Test func `tails of Student's t are scipy's`() throws {
    for row in try numbers.rows("t_tail") {
      let value = StudentT(row[0]).upperTail(row[1])
      #expect(agree(value, row[2], within: 1e-10), "\(row): \(value)")
    }
  }

  @Test func `quantiles of the normal distribution are scipy's`() throws {
    for row in try numbers.rows("normal") {
      let value = Normal.quantile(upperTail: row[0])
      #expect(abs(value - row[1]) <= 1e-11 * max(1, abs(row[1])), "\(row): \(value)")
    }
  }

  @Test func `tails of the binomial distribution are scipy's`() throws {
    for row in try numbers.rows("binomial") {
      let value = Binomial.lowerTail(Int(row[0]), trials: Int(row[1]), probability: row[2])
      #expect(agree(value, row[3], within: 1e-9), "\(row): \(value)")
    }
  }
}
