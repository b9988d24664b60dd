import Diagnostics
import Files
import Foundation
import JSON
import StageDescriptions
import Tasks
import TestSupport
import Testing

@testable import LanguageEvaluation

@Suite struct TaskFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func task(_ statement: String, _ name: String = "task.yaml") throws -> TaskFile {
    try TaskFile(folder.write(statement, to: name))
  }

  private static func request(
    _ document: Int, _ index: Int, _ context: String, _ continuation: String, label: JSON = 1, choices: JSON? = nil
  ) -> String {
    let json: JSON = [
      "request_type": "loglikelihood", "doc": choices.map { ["choices": $0] } ?? [:],
      "request": ["context": .string(context), "continuation": .string(continuation)], "idx": .integer(index),
      "task_name": "t", "doc_id": .integer(document), "native_id": .integer(document + 40), "label": label,
    ]
    return json.compact + "\n"
  }

  @Test func `a task file states task, data, limit and name; the data lie beside it`() throws {
    try folder.write("{\"text\": \"a b\"}\n{\"text\": \"c d\"}\n\n{\"text\": \"e f\"}\n", to: "data/l.jsonl")
    let file = try task("task: lambada_standard\nname: short\ndata: data/l.jsonl\nlimit: 2\n")
    #expect(file.name == "short" && file.format == .harness(.lambadaStandard) && file.limit == 2)
    #expect(file.rawInputs.map(\.name) == ["tasks/short/task", "tasks/short/data"])
    let read = try ScoringTask(file)
    #expect(read.items.map(\.requests) == [[ScoringTask.Request("a", " b")], [ScoringTask.Request("c", " d")]])
    #expect(read.items[1].place.hasSuffix("l.jsonl, line 2"))
    #expect(try ScoringTask(file, limit: 1).items.count == 1)
    #expect(try ScoringTask(file, limit: 5).items.count == 2)
    #expect(try read.dataDigest == SHA256.hex(ofFile: folder("data/l.jsonl")))
  }

  @Test func `request files are known by their names, compressed or not, and so are their tasks`() throws {
    let lines = Self.request(0, 0, "q", " x") + Self.request(0, 1, "q", " y")
    try folder.write(lines, to: "piqa/rc_0shot/requests.jsonl")
    try folder.write(lines, to: "own.requests.jsonl")
    try folder.write(
      "{\"task_name\": \"piqa\", \"task_config\": {\"version\": 3, \"num_shots\": 5}}", to: "piqa/rc_0shot/config.json")
    let file = try TaskFile(folder("piqa/rc_0shot/requests.jsonl"))
    #expect(file.name == "piqa-rc_0shot" && file.format == .requests)
    #expect(file.rawInputs.map(\.name) == ["tasks/piqa-rc_0shot/config", "tasks/piqa-rc_0shot/data"])
    let task = try ScoringTask(file)
    #expect(task.version == "3" && task.prompts.contains("piqa, 5 examples"))
    #expect(try TaskFile(folder("own.requests.jsonl")).name == "own")
    let plain = try ScoringTask(TaskFile(folder("own.requests.jsonl"))).items
    let gzip = try Process.run(URL(filePath: "/bin/gzip"), arguments: [folder("own.requests.jsonl")])
    gzip.waitUntilExit()
    let compressed = try ScoringTask(TaskFile(folder("own.requests.jsonl.gz"))).items
    #expect(compressed.map(\.requests) == plain.map(\.requests) && plain.map(\.requests.count) == [2])
  }

  @Test func `requests beyond the offset are the item's choices without a context`() throws {
    let lines =
      Self.request(3, 0, "q", " x", choices: ["x", "yy"]) + Self.request(3, 1, "q", " yy", choices: ["x", "yy"])
      + Self.request(4, 1, "p", " v", label: 0) + Self.request(4, 0, "p", " é", label: 0)
      + Self.request(1_000_004, 0, "A:", " é") + Self.request(1_000_003, 1, "A:", " yy")
      + Self.request(1_000_003, 0, "A:", " x") + Self.request(1_000_004, 1, "A:", " v")
    try folder.write(lines, to: "requests.jsonl")
    let items = try ScoringTask(TaskFile(folder("requests.jsonl"))).items
    #expect(items.map(\.identifier) == [43, 44])
    #expect(items[0].requests.map(\.continuation) == [" x", " yy", " x", " yy"])
    #expect(items[0].requests.map(\.context) == ["q", "q", "A:", "A:"])
    func size(_ characters: Int, _ bytes: Int) -> TextSize { TextSize(characters: characters, bytes: bytes, words: 1) }
    #expect(items[0].answer == .choice(gold: 1, choices: [size(1, 1), size(2, 2)]))
    #expect(items[1].answer == .choice(gold: 0, choices: [size(1, 2), size(1, 1)]))
    #expect(try ScoringTask(TaskFile(folder("requests.jsonl")), limit: 1).items == Array(items.prefix(1)))
  }

  @Test func `a request that stands alone is a target, whatever its label`() throws {
    try folder.write(Self.request(0, 0, "q", " xé z", label: ["xé"]), to: "requests.jsonl")
    let item = try ScoringTask(TaskFile(folder("requests.jsonl"))).items[0]
    #expect(item.answer == .target(TextSize(characters: 5, bytes: 6, words: 3)))
  }

  static let damaged: [(String, String, String)] = [
    ("piqa", "{\"goal\": \"g\"", "ends too early"), ("piqa", "{\"goal\": \"g\", \"sol1\": \"a\"}", "sol2 is missing"),
    ("piqa", "{\"goal\": \"g\", \"sol1\": \"a\", \"sol2\": \"b\", \"label\": 2}", "choice 2 is right"),
    ("piqa", "{\"goal\": \"g\", \"sol1\": \"a\", \"sol2\": \"\", \"label\": 0}", "choice 1 is empty"),
    (
      "hellaswag", "{\"activity_label\": \"a\", \"ctx_a\": \"b\", \"ctx_b\": \"c\", \"endings\": [1], \"label\": 0}",
      "strings"
    ),
    (
      "arc_easy",
      "{\"question\": \"q\", \"choices\": {\"text\": [\"a\", \"b\"], \"label\": [\"A\", \"B\"]}, \"answerKey\": \"C\"}",
      "none of the labels"
    ),
    ("winogrande", "{\"sentence\": \"s\", \"option1\": \"a\", \"option2\": \"b\", \"answer\": \"1\"}", "has no '_'"),
    (
      "winogrande",
      "{\"sentence\": \"s_t\", \"option1\": \"a\", \"option2\": \"b\", \"answer\": -9223372036854775808}", "not 1 or 2"
    ),
    ("wikitext", "{\"page\": 3}", "must be a string"), ("lambada_openai", "3", "must be an object"),
  ]

  @Test(arguments: damaged)
  func `a malformed line is named with its file`(task name: String, line: String, message: String) throws {
    try folder.write("\n\(line)\n", to: "d.jsonl")
    let file = try task("task: \(name)\ndata: d.jsonl\n")
    let failure = try #require(failure { _ = try ScoringTask(file) })
    #expect(failure.status == .badData && failure.description.contains(message), "\(failure)")
    #expect(failure.description.contains("d.jsonl, line 2"), "\(failure)")
  }

  @Test func `damaged request files are named with the line`() throws {
    func problem(_ lines: String) throws -> String {
      try folder.write(lines, to: "requests.jsonl")
      let failure = failure { _ = try ScoringTask(TaskFile(folder("requests.jsonl"))) }
      #expect(failure?.status == .badData)
      return failure?.description ?? ""
    }
    let first = Self.request(0, 0, "q", " x")
    #expect(try problem(first + Self.request(0, 2, "q", " y")).contains("line 2: idx is 2"))
    #expect(try problem(first + first).contains("idx is 0 where the item should have its request 1"))
    let letter = Self.request(0, 0, "q", " x", label: "B") + Self.request(0, 1, "q", " y", label: "B")
    #expect(try problem(letter).contains("label must be"))
    #expect(
      try problem(first + Self.request(0, 1, "q", " y") + Self.request(1_000_000, 0, "A:", " x")).contains(
        "but 1 without"))
    #expect(try problem(first.replacing("loglikelihood", with: "generate_until")).contains("only log-likelihoods"))
    #expect(
      try problem(first + Self.request(1, 0, "q", " x") + Self.request(1, 1, "q", " y")).contains(
        "another kind of answer"))
    #expect(try problem("\n").contains("holds no items"))
  }

  @Test func `data are lines or an array, packed or not, with a byte order mark or without`() throws {
    let lines = "{\"text\": \"a b\"}\n{\"text\": \"c d\"}\n"
    let array = "[{\"text\": \"a b\"},\n{\"text\": \"c d\"}]"
    func contexts(_ data: String) throws -> [String] {
      try ScoringTask(task("task: lambada_standard\ndata: \(data)\n", "\(data).yaml")).items.flatMap(\.requests).map(
        \.context)
    }
    for (name, content) in [
      ("l.jsonl", lines), ("a.json", array), ("B.JSON", "\u{FEFF}" + lines), ("c.json", "\u{FEFF}" + array),
    ] {
      try folder.write(content, to: name)
      #expect(try contexts(name) == ["a", "c"])
      try run("/bin/gzip", ["-k", folder(name)])
      #expect(try contexts(name + ".gz") == ["a", "c"])
    }
    try run("/bin/tar", ["-C", folder.path, "-cf", folder("one.tar"), "l.jsonl"])
    #expect(try contexts("one.tar") == ["a", "c"])
    try run("/bin/tar", ["-C", folder.path, "-cf", folder("two.tar"), "l.jsonl", "a.json"])
    #expect(
      failure { _ = try contexts("two.tar") }?.message.contains("holds several files, 'l.jsonl' and 'a.json'") == true)
    var damaged = try Files.read(folder("l.jsonl.gz"))
    damaged[damaged.count - 6] ^= 1
    try AtomicFile.write(damaged, to: folder("damaged.jsonl.gz"))
    let crc = failure { _ = try contexts("damaged.jsonl.gz") }
    #expect(crc?.status == .badData && crc?.message.contains("another CRC") == true)
  }

  private func run(_ program: String, _ arguments: [String]) throws {
    let process = try Process.run(URL(filePath: program), arguments: arguments)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test func `what cannot be is refused before anything is read`() throws {
    try folder.write("", to: "d.jsonl")
    func refusal(_ statement: String) -> Failure? { failure { _ = try task(statement) } }
    #expect(refusal("task: pica\ndata: d.jsonl\n")?.description.contains("did you mean 'piqa'?") == true)
    #expect(refusal("task: piqa\ndata: d.jsonl\nlimits: 3\n")?.description.contains("did you mean 'limit'?") == true)
    #expect(refusal("task: piqa\ndata: none.jsonl\n")?.status == .missingInput)
    #expect(refusal("task: wikitext\ndata: d.jsonl\nmutual_information: true\n")?.status == .badConfiguration)
    #expect(refusal("task: a/b\nformat: requests\ndata: d.jsonl\n")?.status == .badConfiguration)
    #expect(failure { _ = try TaskFile(folder("d.jsonl")) }?.status == .badData)
    let file = try folder.write("task: piqa\ndata: d.jsonl\n", to: "a.yaml")
    #expect(
      failure { _ = try TaskFile.read([file, file]) }?.description.contains("second task of the name 'piqa'") == true)
  }

  @Test func `missing data of a descriptor are named with the command that fetches them`() throws {
    try folder.write("name: tasks\n", to: "data/tasks.yaml")
    let missing = failure { _ = try TaskFile(folder("data/cache/tasks/piqa.requests.jsonl.gz")) }
    #expect(missing?.status == .missingInput)
    #expect(missing?.message.hasSuffix("scripts/fetch-data \(folder("data/tasks.yaml"))") == true)
  }
}
