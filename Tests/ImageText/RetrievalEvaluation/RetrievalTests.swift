import JSON
import Pairs
import RetrievalEvaluation
import Testing
import Torch

@Suite struct RetrievalTests {
  @Test func `ranks and recalls of random cases with ties are NumPy's`() throws {
    for reference in try ReferenceCase.all() {
      let metrics = try reference.metrics()
      for (direction, side) in [(RetrievalDirection.imageToText, "image"), (.textToImage, "text")] {
        let expected = try #require(reference.json[side])
        let own = metrics[direction]
        #expect(try own.ranks == ReferenceCase.integers(expected, "ranks"), "\(reference.testDescription), \(side)")
        for k in DirectionMetrics.depths {
          #expect(abs(own.recall(at: k) - (try #require(expected["R@\(k)"]?.doubleValue))) < 1e-12)
        }
        #expect(abs(try #require(own.meanRank) - (try #require(expected["mean_rank"]?.doubleValue))) < 1e-12)
        #expect(Double(try #require(own.medianRank)) == expected["median_rank"]?.doubleValue)
        #expect(own.ties == expected["ties"]?.intValue)
        #expect(own.queries.count == expected["queries"]?.intValue)
        #expect(own.withoutOwn == expected["without_own"]?.intValue)
      }
      #expect(abs(metrics.meanRecall - (try #require(reference.json["mean_recall"]?.doubleValue))) < 1e-12)
    }
  }

  @Test func `likelihood and calibration at a temperature for each query are NumPy's`() throws {
    for reference in try ReferenceCase.all() {
      let expected = try #require(reference.json["likelihood"])
      let temperatures = try ReferenceCase.numbers(reference.json, "tau")
      let alternatives = Alternatives(
        try reference.scores(.imageToText), candidates: reference.set.captions, own: reference.set.pictures.own,
        scale: 1)
      let likelihood = alternatives.likelihood { temperatures[$0] }
      #expect(abs(likelihood.meanLoss - (try #require(expected["loss"]?.doubleValue))) < 1e-6)
      #expect(abs(likelihood.calibration.expectedError - (try #require(expected["ece"]?.doubleValue))) < 1e-6)
    }
  }

  @Test func `no temperature of a query's own changes its rank`() throws {
    for reference in try ReferenceCase.all() {
      let temperatures = try ReferenceCase.numbers(reference.json, "tau")
      let (own, ranks) = (reference.set.pictures.own, try reference.metrics().imageToText.ranks)
      var tempered: [Int] = []
      try reference.scores(.imageToText).forEachQuery { query, row in
        // In double precision different scores stay different.
        let scaled = row.map { Double($0) / temperatures[query] }
        tempered.append(scaled.withUnsafeBufferPointer { Ranking.place(in: $0, own: own[query]).rank })
      }
      #expect(tempered == ranks, "\(reference.testDescription)")
    }
  }

  @Test func `the best single temperature is the one with the least loss`() throws {
    let reference = try ReferenceCase.all()[1]
    let alternatives = Alternatives(
      try reference.scores(.imageToText), candidates: reference.set.captions, own: reference.set.pictures.own, scale: 2)
    let best = alternatives.bestTemperature(in: 0.05...50)
    let losses = [0.9, 1, 1.1].map { factor in alternatives.likelihood { _ in factor * best }.meanLoss }
    #expect(losses[1] < losses[0] && losses[1] < losses[2], "\(best): \(losses)")
  }

  @Test func `a depth beyond the candidates counts all, and queries without candidates of their own are counted`() {
    let scores = ScoreTable(
      queries: Tensor([1 as Float, 0, 0, 1, 1, 1], shape: [3, 2]),
      candidates: Tensor([1 as Float, 0, 0, 1], shape: [2, 2]))
    let found = DirectionMetrics(scores, own: [[1], [1], []])
    #expect(found.ranks == [1, 0] && found.queries == [0, 1] && found.withoutOwn == 1 && found.candidates == 2)
    #expect(found.recall(at: 1) == 0.5 && found.recall(at: 5) == 1 && found.recall(at: 100) == 1)
    #expect(found.medianRank == 1 && found.meanRank == 1.5)
  }

  @Test func `equal candidates have equal scores wherever they stand`() throws {
    // Far apart, so that they would fall into different tiles and positions of a product.
    let count = ScoreTable.tileCandidates + 137
    var floats = (0..<count * 37).map { Float(($0 &* 2_654_435_761) % 1009) / 1009 - 0.5 }
    for column in 0..<37 { floats[(count - 1) * 37 + column] = floats[3 * 37 + column] }
    let candidates = Tensor(floats, shape: [count, 37])
    let scores = ScoreTable(queries: candidates[0..<300], candidates: candidates)
    var (equal, queries) = (true, 0)
    scores.forEachQuery { _, row in
      equal = equal && row[3] == row[count - 1]
      queries += 1
    }
    #expect(equal && queries == 300)
    let direct = candidates[299..<300].matmul(candidates.transposed()).floats
    scores.forEachQuery { query, row in
      if query == 299 { #expect(zip(row, direct).allSatisfy { abs($0 - $1) < 1e-4 }) }
    }
  }

  @Test func `zero-shot figures are NumPy's`() throws {
    for json in try ReferenceCase.zeroShot() {
      func integer(_ name: String) throws -> Int { try #require(json[name]?.intValue) }
      func floats(_ name: String) throws -> [Float] { try ReferenceCase.numbers(json, name).map(Float.init) }
      let (classes, templates, width) = (try integer("classes"), try integer("templates"), try integer("width"))
      let names = ZeroShot.embeddings(
        ofPrompts: Tensor(try floats("prompts"), shape: [classes * templates, width]), templates: templates)
      #expect(zip(names.floats, try floats("embeddings")).allSatisfy { abs($0 - $1) < 1e-6 })
      let labels = try ReferenceCase.integers(json, "labels")
      let images = Tensor(try floats("images"), shape: [labels.count, width])
      let zeroShot = ZeroShot(images: images, classes: names, labels: labels)
      let expected = try #require(json["figures"])
      for (k, accuracy) in zip(ZeroShot.depths, zeroShot.accuracy) {
        #expect(accuracy == expected["top\(k)"]?.doubleValue, "top \(k)")
      }
      let mean = try #require(expected["mean_per_class_recall"]?.doubleValue)
      #expect(abs(zeroShot.meanPerClassRecall - mean) < 1e-12)
      #expect(zeroShot.ties == expected["images_with_ties"]?.intValue)
    }
  }
}
