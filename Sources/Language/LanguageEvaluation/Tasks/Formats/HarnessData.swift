import Diagnostics
import JSON
import Tasks

/// Items in the fields that data sets have on the Hugging Face hub, made into requests as lm-evaluation-harness 0.4.13
/// makes them without examples: the context, a space, the continuation.
struct HarnessData {
  let task: HarnessTask
  /// Whether choices are also asked for after nothing.
  let hasMutualInformation: Bool

  func items(_ path: String, limit: Int?) throws -> [ScoringTask.Item] {
    var items: [ScoringTask.Item] = []
    try TaskRecords.read(path) { line, place in
      var fields = try JSONFields(line, source: place)
      let identifier = ["id", "ind"].lazy.compactMap { line[$0] }.first
      let (answer, requests) = try content(&fields, place)
      items.append(
        ScoringTask.Item(
          identifier: identifier, group: line.group, answer: answer, requests: requests, place: place))
      return items.count != limit
    }
    return items
  }

  private typealias Content = (TaskAnswer, [ScoringTask.Request])

  private func content(_ fields: inout JSONFields, _ place: String) throws -> Content {
    switch task {
    case .piqa:
      let choices = [try fields.string("sol1"), try fields.string("sol2")]
      return try choose(
        "Question: \(fields.string("goal"))\nAnswer:", choices, gold: fields.integer(alsoFromText: "label"), place)
    case .hellaswag: return try hellaswag(&fields, place)
    case .arcEasy, .arcChallenge:
      let (choices, gold) = try labelledChoices(&fields) { $0 }
      return try choose("Question: \(fields.string("question"))\nAnswer:", choices, gold: gold, place)
    case .openbookqa:
      let (choices, gold) = try labelledChoices(&fields) { PythonText($0).leftStripped.string }
      return try choose(fields.string("question_stem"), choices, gold: gold, place)
    case .sciq:
      let choices = try ["distractor1", "distractor2", "distractor3", "correct_answer"].map { try fields.string($0) }
      let support = PythonText(try fields.string("support")).leftStripped.string
      return try choose("\(support)\nQuestion: \(fields.string("question"))\nAnswer:", choices, gold: 3, place)
    case .winogrande: return try winogrande(&fields, place)
    case .lambadaOpenAI, .lambadaStandard:
      let words = try fields.string("text").unicodeScalars.split(separator: " ", omittingEmptySubsequences: false)
      let target = " " + String(words.last!)
      let context = words.dropLast().map { String($0) }.joined(separator: " ")
      return (.target(PythonText(target).size), [ScoringTask.Request(context, target)])
    case .wikitext:
      let page = try fields.string("page")
      // Words and bytes are those of the page as it is, although its detokenised text is scored.
      return (.page(PythonText(page).size), [ScoringTask.Request(page: WikitextDetokenizer.text(ofPage: page))])
    }
  }

  private func choose(_ context: String, _ choices: [String], gold: Int, _ place: String) throws -> Content {
    let requests = choices.map { ScoringTask.Request(context, " \($0)") }
    return try content(choices, requests, gold: gold, place)
  }

  private func content(
    _ choices: [String], _ requests: [ScoringTask.Request], gold: Int, _ place: String
  ) throws -> Content {
    let unconditional = hasMutualInformation ? requests.map { ScoringTask.Request("", $0.continuation) } : []
    return (try TaskAnswer(choices: choices, gold: gold, at: place), requests + unconditional)
  }

  private func hellaswag(_ fields: inout JSONFields, _ place: String) throws -> Content {
    let (activity, a) = (try fields.string("activity_label"), try fields.string("ctx_a"))
    let b = PythonText(try fields.string("ctx_b")).capitalised.string
    let endings = try fields.strings("endings").map(Self.withoutArtifacts)
    let context = Self.withoutArtifacts("\(activity): \(a) \(b)")
    return try choose(context, endings, gold: fields.integer(alsoFromText: "label"), place)
  }

  /// Removes the remains of WikiHow's markup from HellaSwag.
  private static func withoutArtifacts(_ text: String) -> String {
    PythonText(text).stripped.replacing(" [title]", with: ". ").removingBrackets.replacing("  ", with: " ").string
  }

  /// Both options stand in the sentence before the gap; what is scored is the rest of the sentence.
  private func winogrande(_ fields: inout JSONFields, _ place: String) throws -> Content {
    let sentence = try fields.string("sentence").unicodeScalars
    guard let gap = sentence.firstIndex(of: "_") else { throw fields.failure("sentence", "has no '_'") }
    let start = String(sentence[..<gap])
    let contexts = [start + (try fields.string("option1")), start + (try fields.string("option2"))]
    let rest = PythonText(sentence[sentence.index(after: gap)...]).stripped.string
    let answer = try fields.integer(alsoFromText: "answer")
    guard [1, 2].contains(answer) else { throw fields.failure("answer", "is \(answer), not 1 or 2") }
    return try content(
      [rest, rest], contexts.map { ScoringTask.Request($0, " " + rest) }, gold: answer - 1, place)
  }

  /// The texts of `choices`, and the place of `answerKey` among their labels.
  private func labelledChoices(
    _ fields: inout JSONFields, key transform: (String) -> String
  ) throws -> ([String], Int) {
    var choices = try fields.fields("choices")
    let (texts, labels) = (try choices.strings("text"), try choices.strings("label"))
    guard texts.count == labels.count else { throw fields.failure("choices", "has not as many texts as labels") }
    let key = transform(try fields.string("answerKey"))
    guard let gold = labels.firstIndex(of: key) else {
      throw fields.failure("answerKey", "is '\(key)', which is none of the labels \(labels.joined(separator: ", "))")
    }
    return (texts, gold)
  }
}

extension TaskAnswer {
  /// - Throws: `Failure(.badData)` where there is no such choice, or one without a text: log-likelihoods are divided by
  ///   the lengths.
  init(choices: [String], gold: Int, at place: String) throws {
    guard choices.count > 1 else { throw Failure(.badData, "has \(choices.count) choices", at: place) }
    guard choices.indices.contains(gold) else {
      throw Failure(.badData, "says that choice \(gold) is right, counted from 0, of \(choices.count)", at: place)
    }
    if let empty = choices.firstIndex(of: "") { throw Failure(.badData, "choice \(empty) is empty", at: place) }
    self = .choice(gold: gold, choices: choices.map { PythonText($0).size })
  }
}

extension PythonText {
  /// `re.sub(r"\[.*?\]", "", text)`: from each `[` to the next `]` on the same line.
  fileprivate var removingBrackets: PythonText {
    var result: [Unicode.Scalar] = []
    var i = 0
    // The next end of a pair or line, looked for once and not from every bracket before it.
    var end = 0
    while i < scalars.count {
      if scalars[i] == "[", end <= i {
        end = scalars[(i + 1)...].firstIndex { $0 == "]" || $0 == "\n" } ?? scalars.count
      }
      if scalars[i] == "[", end < scalars.count, scalars[end] == "]" {
        i = end + 1
      } else {
        result.append(scalars[i])
        i += 1
      }
    }
    return PythonText(result)
  }
}

extension JSONFields {
  /// An array of strings.
  mutating func strings(_ name: String) throws -> [String] {
    try array(name).map { element in
      guard let text = element.stringValue else { throw failure(name, "must hold strings, found \(element.kindName)") }
      return text
    }
  }

  /// An integer, which data sets also write as a string.
  mutating func integer(alsoFromText name: String) throws -> Int {
    let given = try value(name)
    guard let number = given.intValue ?? given.stringValue.flatMap({ Int($0) }) else {
      throw failure(name, "must be a whole number, found \(given.compact)")
    }
    return number
  }
}
