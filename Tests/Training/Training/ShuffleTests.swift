import Testing
import Training

@Suite struct ShuffleTests {
  @Test(arguments: [1, 2, 3, 4, 5, 16, 17, 1000, 4097])
  func `a shuffle holds every item once`(count: Int) {
    let shuffle = Shuffle(count: count, seed: 7)
    #expect((0..<count).map { shuffle[$0] }.sorted() == Array(0..<count))
  }

  @Test func `the item at a position depends on seed and position alone`() {
    let order = (0..<100).map { Shuffle(count: 100, seed: 1)[$0] }
    #expect(order == (0..<100).map { Shuffle(count: 100, seed: 1)[$0] })
    #expect(order != (0..<100).map { Shuffle(count: 100, seed: 2)[$0] })
  }

  /// Were the order not random, a position would prefer some items: χ² with 15 degrees of freedom stays below 50 but
  /// once in 80,000 times.
  @Test func `every item is as likely at a position as any other`() {
    for position in [0, 7, 15] {
      var counts = [Double](repeating: 0, count: 16)
      for seed in 0..<3200 { counts[Shuffle(count: 16, seed: UInt64(seed))[position]] += 1 }
      #expect(counts.reduce(0) { $0 + ($1 - 200) * ($1 - 200) / 200 } < 50)
    }
  }

  @Test func `epochs follow each other, each in an order of its own and with every item once`() {
    let order = EpochOrder(count: 10, seed: 3)
    let places = order.places(0..<30)
    for epoch in 0..<3 {
      let part = places[epoch * 10..<(epoch + 1) * 10]
      #expect(part.allSatisfy { $0.epoch == epoch })
      #expect(part.map(\.item).sorted() == Array(0..<10))
    }
    #expect(order.items(0..<10) != order.items(10..<20))
    #expect(order.items(8..<13) == Array(order.items(0..<20)[8..<13]))
  }
}
