import Diagnostics
import Testing

@testable import Reports

@Suite struct TrainingHistoryTests {
  @Test func `long trainings are thinned to means`() throws {
    let lines = (1...1000).map { "{\"step\":\($0),\"training\":{\"loss\":\($0)}}" }.joined(separator: "\n")
    let history = try TrainingHistory(of: "x", parsing: Array(lines.utf8), source: "metrics.jsonl")
    let points = history.series[0].thinned(to: 300)
    #expect(points.count == 250 && points[0].step == 4 && points[0].value == 2.5 && points[249].step == 1000)
  }

  @Test func `series are by section and name, and leave out what is no number`() throws {
    let lines = """
      {"step":1,"training":{"loss":2.5,"rate":1},"validation":{"loss":3}}
      {"step":2,"training":{"loss":null,"rate":2}}
      """
    let history = try TrainingHistory(of: "x", parsing: Array(lines.utf8), source: "metrics.jsonl")
    #expect(history.series.map { "\($0.section).\($0.name)" } == ["training.loss", "training.rate", "validation.loss"])
    #expect(history.series("training", "loss")?.points == [TrainingHistory.Point(step: 1, value: 2.5)])
    #expect(history.series("training", "rate")?.points.map(\.value) == [1, 2])
    #expect(history.series("validation", "rate") == nil)
  }

  @Test(arguments: ["{\"step\":1}\n{\"step\":\n", "{\"step\":1}\n{\"step\":\"2\"}\n", "{\"step\":1}\n[]\n"])
  func `a line that is no object with a step is named`(lines: String) throws {
    let failure = try #require(throws: Failure.self) {
      try TrainingHistory(of: "x", parsing: Array(lines.utf8), source: "metrics.jsonl")
    }
    #expect(failure.status == .badData && failure.description.contains("metrics.jsonl:2"))
  }
}
