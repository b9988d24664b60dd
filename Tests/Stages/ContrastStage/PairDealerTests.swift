import Diagnostics
import Pairs
import Testing

@testable import ContrastStage

@Suite struct PairDealerTests {
  private func dealer(
    _ pairs: SyntheticPairs, batch: Int, seed: Int = 3, versions: Int = 1
  ) throws -> PairDealer {
    try PairDealer(pairs.table, captions: .all, versions: versions, batch: batch, seed: seed)
  }

  @Test func `batches are full, rise, and hold equal captions and pictures once`() throws {
    let pairs = SyntheticPairs(100, captions: 1, titles: 60)
    let dealer = try dealer(pairs, batch: 20)
    var dealtApart = 0
    for step in 0..<40 {
      let batch = try dealer.batch(step: step)
      #expect(batch.pairs.count == 20)
      #expect(batch.pictures == Set(batch.pictures).sorted())
      #expect(batch.captions == batch.captions.sorted())
      #expect(Set(batch.captions.map { pairs.table.captions[$0].group }).count == 20)
      #expect(batch.pictures.allSatisfy { pairs.table.pictures[$0].split == .train })
      dealtApart += batch.dealtApart
    }
    #expect(dealtApart > 0)
  }

  @Test func `what an epoch leaves opens the next, so that pictures come up equally often`() throws {
    let pairs = SyntheticPairs(100, validation: 24)
    let dealer = try dealer(pairs, batch: 32)
    var counts: [Int: Int] = [:]
    // 19 batches of 32 are 8 epochs of 76.
    for step in 0..<19 { for picture in try dealer.batch(step: step).pictures { counts[picture, default: 0] += 1 } }
    #expect(counts.count == 76)
    #expect(counts.values.allSatisfy { (7...8).contains($0) })
    #expect(counts.values.reduce(0, +) == 8 * 76)
  }

  @Test func `a picture's captions each come up before one comes up again`() throws {
    let pairs = SyntheticPairs(60, captions: 5, validation: 20)
    let dealer = try dealer(pairs, batch: 20)
    var drawn: [Int: [Int]] = [:]
    for step in 0..<10 {
      for pair in try dealer.batch(step: step).pairs { drawn[pair.picture, default: []].append(pair.caption) }
    }
    #expect(drawn.values.allSatisfy { $0.count == 5 && Set($0).count == 5 })
    #expect(try dealer.unseen(before: 10).captions == 0)
    #expect(try dealer.unseen(before: 1).pictures == 20)
    #expect(Set(drawn.values.map { $0.map { $0 % 5 } }).count > 10)
  }

  @Test func `a batch is a function of seed and step`() throws {
    let pairs = SyntheticPairs(100, titles: 70)
    let (a, b) = (try dealer(pairs, batch: 24, versions: 3), try dealer(pairs, batch: 24, versions: 3))
    let batches = try (0..<12).map(a.batch)
    #expect(try b.batch(step: 11) == batches[11])
    #expect(try b.batch(step: 4) == batches[4])
    #expect(try dealer(pairs, batch: 24, seed: 4, versions: 3).batch(step: 0) != batches[0])
    #expect(Set(batches.flatMap { $0.pairs.map(\.version) }) == [0, 1, 2])
  }

  @Test func `a picture whose caption is taken comes with its next one`() throws {
    // Five titles for 80 pictures: no batch of 40 could do with titles alone.
    let pairs = SyntheticPairs(100, captions: 2, titles: 5, validation: 20)
    let dealer = try dealer(pairs, batch: 40)
    for step in 0..<20 {
      let batch = try dealer.batch(step: step)
      #expect(Set(batch.captions.map { pairs.table.captions[$0].group }).count == 40 && batch.dealtApart > 0)
    }
    #expect(try dealer.unseen(before: 20).pictures == 0)
  }

  @Test func `pictures with one caption in common take turns, the others go on`() throws {
    var pairs = SyntheticPairs(100, captions: 1, validation: 20)
    for picture in 0..<30 { pairs.table.captions[picture].group = 0 }
    let dealer = try dealer(pairs, batch: 20)
    var counts = [Int](repeating: 0, count: 80)
    for step in 0..<60 {
      let batch = try dealer.batch(step: step).pictures
      #expect(batch.count { $0 < 30 } <= 1)
      for picture in batch { counts[picture] += 1 }
    }
    #expect(counts[..<30].allSatisfy { (1...3).contains($0) })
    #expect(counts[30...].allSatisfy { (21...24).contains($0) })
  }

  @Test func `a batch too large for the pairs is refused with the largest that fits`() throws {
    let few = #expect(throws: Failure.self) { try dealer(SyntheticPairs(100), batch: 39) }
    #expect(few?.status == .badConfiguration && few!.message.contains("the largest that fits is 38"))
    // There are ten titles: a batch can hold each once.
    let alike = #expect(throws: Failure.self) {
      try dealer(SyntheticPairs(100, captions: 1, titles: 10, validation: 20), batch: 11)
    }
    #expect(alike!.message.contains("the largest that fits is 10"))
    #expect(alike!.message.contains("10 different captions"))
    _ = try dealer(SyntheticPairs(100, captions: 1, titles: 10, validation: 20), batch: 10).batch(step: 50)
  }
}
