import Pairs
import RetrievalEvaluation
import Testing

@Suite struct RetrievalSetTests {
  /// Four test pictures: 0 and 2 of one concept, 3 equal to 1; captions 1 and 4 equal.
  private let table = PairTable(
    pictures: [
      PairTable.Picture(source: "a", member: "0", concept: "cat", split: .test, group: 0, captions: 0..<2),
      PairTable.Picture(source: "a", member: "1", split: .test, group: 1, captions: 2..<3),
      PairTable.Picture(source: "a", member: "2", concept: "cat", split: .test, group: 2, captions: 3..<5),
      PairTable.Picture(source: "a", member: "3", split: .test, group: 1, captions: 5..<6),
      PairTable.Picture(source: "a", member: "4", split: .train, group: 4, captions: 6..<7),
    ],
    captions: [
      PairTable.Caption("cat", picture: 0, group: 0), PairTable.Caption("animal", picture: 0, group: 1),
      PairTable.Caption("tree", picture: 1, group: 2), PairTable.Caption("kitten", picture: 2, group: 3),
      PairTable.Caption("animal", picture: 2, group: 1), PairTable.Caption("oak", picture: 3, group: 5),
      PairTable.Caption("cat", picture: 4, group: 0),
    ])

  @Test func `equal captions and equal pictures belong to each other's partners`() {
    let set = RetrievalSet(table, split: .test, captions: .all, isMerged: false)
    #expect(set.pictures.positions == [0, 1, 2, 3] && set.captions.positions == [0, 1, 2, 3, 4, 5])
    #expect(set.pictures.own == [[0, 1, 4], [2, 5], [1, 3, 4], [2, 5]])
    #expect(set.captions.own == [[0], [0, 2], [1, 3], [2], [0, 2], [1, 3]])
    #expect(set.pictures.first == [0, 1, 2, 1] && set.captions.first == [0, 1, 2, 3, 1, 5])
  }

  @Test func `equal ones take part once when merged`() {
    let set = RetrievalSet(table, split: .test, captions: .all, isMerged: true)
    #expect(set.pictures.positions == [0, 1, 2] && set.captions.positions == [0, 1, 2, 3, 5])
    #expect(set.pictures.own == [[0, 1], [2, 4], [1, 3]])
  }

  @Test func `titles are each picture's first caption`() {
    let set = RetrievalSet(table, split: .test, captions: .titles, isMerged: false)
    #expect(set.captions.positions == [0, 2, 3, 5])
    #expect(set.pictures.own == [[0], [1, 3], [2], [1, 3]])
  }

  @Test func `clusters hold concepts, equal pictures and their captions`() {
    let set = RetrievalSet(table, split: .test, captions: .titles, isMerged: false)
    #expect(set.clusters.count == 2)
    #expect(set.clusters.ofItem == [0, 1, 0, 1, 0, 1, 0, 1])
  }

  @Test func `the mean over clusters is the recall`() throws {
    let set = RetrievalSet(table, split: .test, captions: .all, isMerged: false)
    let metrics = RetrievalMetrics(
      imageToText: DirectionMetrics(
        queries: [0, 1, 2, 3], ranks: [0, 4, 5, 20], isTied: [false, false, true, false], candidates: 6, withoutOwn: 0),
      textToImage: DirectionMetrics(
        queries: [0, 1, 2, 3, 5], ranks: [0, 0, 2, 1, 9], isTied: [Bool](repeating: false, count: 5), candidates: 4,
        withoutOwn: 1))
    for metric in RetrievalMetric.all {
      #expect(abs(metric.mean(metrics, in: set).estimate - metric.value(metrics)) < 1e-12, "\(metric.name)")
    }
    #expect(abs(metrics.meanRecall - ((0.25 + 0.5 + 0.75) / 3 + (0.4 + 0.8 + 1) / 3) / 2) < 1e-12)
  }
}
