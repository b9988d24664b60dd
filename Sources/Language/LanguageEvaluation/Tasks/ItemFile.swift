import Files
import JSON

/// `items-TASK.jsonl`: requests and scores, one line per item in the order of the data.
public enum ItemFile {
  public static func name(of task: String) -> String { "items-\(task).jsonl" }

  public static func write(_ items: [ScoringTask.Item], _ scores: TaskScores, to path: String) throws {
    let writer = try FileWriter(path)
    for (index, (item, score)) in zip(items, scores.items).enumerated() {
      try writer.write(json(index, item, score, scores.policies).compact + "\n")
    }
    try writer.synchronise()
    try writer.close()
  }

  private static func json(
    _ index: Int, _ item: ScoringTask.Item, _ score: TaskScores.Item, _ policies: [String]
  ) -> JSON {
    var json: JSON = ["item": .integer(index), "id": item.identifier ?? .null]
    if case .choice(let gold, _) = item.answer { json["gold"] = .integer(gold) }
    json["requests"] = .array(
      zip(item.requests, score.requests).enumerated().map { number, pair in
        request(pair.0, pair.1, item.answer.size(ofRequest: number), policies)
      })
    return json
  }

  private static func request(
    _ request: ScoringTask.Request, _ score: RequestScore, _ size: TextSize, _ policies: [String]
  ) -> JSON {
    // An empty page has no predictions to take a mean of.
    func mean(_ value: Double) -> JSON { score.tokens == 0 ? .null : .number(value) }
    func byPolicy(_ values: [JSON]) -> JSON { .object(JSONObject(zip(policies, values).map { ($0, $1) })) }
    return [
      "context": .string(request.context), "continuation": .string(request.continuation),
      "characters": .integer(size.characters), "bytes": .integer(size.bytes), "words": .integer(size.words),
      "tokens": .integer(score.tokens), "greedy": .bool(score.isGreedy), "entropy": mean(score.entropy),
      "log_likelihood": byPolicy(score.logLikelihoods.map(JSON.number)),
      "temperature": byPolicy(score.temperatures.map(mean)),
    ]
  }
}

extension TaskAnswer {
  /// The length by which a request's log-likelihood is divided; choices without a context follow those with one.
  fileprivate func size(ofRequest number: Int) -> TextSize {
    switch self {
    case .choice(_, let choices): choices[number % choices.count]
    case .target(let size), .page(let size): size
    }
  }
}
