import Files
import Foundation
import JSON
import TestSupport
import Testing

/// Mistakes of users. Each ends with its code and a helpful message, and leaves nothing behind.
@Suite struct BadInputTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let program: Program
    let arguments: [String]
    let status: Int32
    /// The message contains all of them.
    let words: [String]

    init(_ name: String, _ program: Program, _ arguments: [String], _ status: Int32, _ words: String...) {
      (testDescription, self.program, self.arguments, self.status, self.words) =
        (name, program, arguments, status, words)
    }

    /// A text that is given to `tempnet-tokenize`.
    init(_ name: String, text: String, _ status: Int32, _ words: String) {
      self.init(name, .tokenize, ["--corpus", text, "--vocabulary", "300", "--output", "made"], status, words)
    }

    /// Sources, and further arguments, that are given to `tempnet-pairs`.
    init(_ name: String, pairs arguments: [String], _ status: Int32, _ words: String...) {
      (testDescription, program, self.status, self.words) = (name, .pairs, status, words)
      self.arguments = ["--output", "made", "--source"] + arguments
    }

    /// One of `pipelines`.
    init(pipeline: String, _ status: Int32, _ words: String, options: [String] = []) {
      self.init(
        "the pipeline \(pipeline)", .run, ["\(pipeline).yaml", "--store", "made"] + options, status,
        "\(pipeline).yaml", words)
    }
  }

  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write(corpus(sentences: 400), to: "text.txt")
    try folder.write("", to: "empty.txt")
    try Files.makeFolder(folder("folder"))
    try AtomicFile.write(
      (0..<4000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 9) }, to: folder("binary.txt"))
    try folder.write("{\"text\": \"a\"}\n{\"text\": \n", to: "bad.jsonl")
    try folder.write("{\"text\": \"a\"}\n\n{\"text\": 3}\n", to: "number.jsonl")
    try folder.write("url,words\npage.png,one\n", to: "table.csv")
    try folder.write("<html>404</html>", to: "page.png")
    try folder.write(String(repeating: "no tar\n", count: 200), to: "archive.tar")
    try folder.write("kept", to: "output/mine.txt")
    for (name, stages) in Self.pipelines { try folder.write("stages:\n" + stages, to: "\(name).yaml") }
  }

  private static let tokens = "  tokens: {run: tokenize, with: {corpus: [text.txt], vocabulary: 300}}\n"

  /// Stages of pipelines that are wrong in some way.
  private static let pipelines = [
    "key": "  tokens:\n    run: tokenize\n    with:\n      corpus: [text.txt]\n      vocabulery: 300\n",
    "type": "  tokens:\n    run: tokenize\n    with:\n      corpus: [text.txt]\n      vocabulary: many\n",
    "range": "  tokens:\n    run: tokenize\n    with: {corpus: [text.txt], validation: 1.5}\n",
    "stage": "  tokens:\n    run: tokenise\n",
    "input": tokens + "  model:\n    run: pretrain\n",
    "link": tokens + "  model:\n    run: pretrain\n    from: {tokens: token}\n",
    "kind": tokens + "  tempnet: {run: fit, from: {features: tokens}}\n",
    "cycle": tokens + "  a: {run: pretrain, from: {tokens: tokens, model: b}}\n"
      + "  b: {run: pretrain, from: {tokens: tokens, model: a}}\n",
    "twice": tokens + tokens,
    "broken": "  tokens: [1, 2\n",
    "shape": tokens + "  model:\n    run: pretrain\n    from: {tokens: tokens}\n    with: {model: {width: 30}}\n",
    "blocks": tokens
      + "  model:\n    run: pretrain\n    from: {tokens: tokens}\n    with: {train_last_blocks: 2}\n",
  ]

  static let cases = [
    Case("an empty text", text: "empty.txt", 65, "empty.txt: there is no text in it"),
    Case("an empty folder", text: "folder", 66, "folder: the folder contains no text"),
    Case("a binary text", text: "binary.txt", 65, "binary.txt: is not UTF-8 text: "),
    Case("a device", text: "/dev/null", 65, "/dev/null: is not a regular file"),
    Case("a broken line of JSON", text: "bad.jsonl", 65, "bad.jsonl, line 2: the text ends too early"),
    Case("a line without text", text: "number.jsonl", 65, "number.jsonl, line 3: the field 'text' holds an integer"),
    Case(
      "too large a vocabulary", .tokenize,
      ["--corpus", "text.txt", "--vocabulary", "90000", "--output", "made"], 78, "entries at most, 90000 are wanted"),
    Case(
      "an output that exists", .tokenize, ["--corpus", "text.txt", "--vocabulary", "300", "--output", "output"], 73,
      "output: exists but is not a result of this command"),
    Case(
      "an output below a file", .tokenize,
      ["--corpus", "text.txt", "--vocabulary", "300", "--output", "text.txt/a/made"], 73, "text.txt: is not a folder"),
    Case("an output without a name", .tokenize, ["--corpus", "text.txt", "--output", ""], 64, "--output needs"),
    Case("a store without a name", .run, ["key.yaml", "--store", ""], 64, "--store needs"),
    Case(
      "a missing configuration", .tokenize, ["--config", "no.yaml", "--output", "made"], 66, "no.yaml: cannot read"),
    Case("a missing pipeline", .run, ["no.yaml", "--store", "made"], 66, "no.yaml: cannot read"),
    Case("a misspelt command", .run, ["stauts"], 64, "stauts: there is no such pipeline"),
    Case(
      "a misspelt command with its pipeline", .run, ["--store", "made", "stauts", "key.yaml"], 64, "command 'status'"),
    Case("a folder for a pipeline", .run, ["folder", "--store", "made"], 66, "folder: is a folder"),
    Case(pipeline: "key", 78, "key.yaml, line 6: unknown key 'vocabulery'; did you mean 'vocabulary'?"),
    Case(pipeline: "type", 78, "type.yaml, line 6: vocabulary must be a whole number from 257 to 2097152, not 'many'"),
    Case(pipeline: "range", 78, "range.yaml, line 4: validation must be a number from 0 to 1, not '1.5'"),
    Case(pipeline: "stage", 78, "is not a stage: 'tokenise'; did you mean 'tokenize'?"),
    Case(pipeline: "input", 78, "input.yaml, line 4: model: the stage pretrain needs the input 'tokens'"),
    Case(pipeline: "link", 78, "'token', which does not exist; did you mean 'tokens'?"),
    Case(pipeline: "kind", 78, "is of kind features, but the stage 'tokens' makes tokens"),
    Case(pipeline: "cycle", 78, "cycle.yaml, line 3: stages wait for each other: a <- b <- a"),
    Case(pipeline: "twice", 78, "twice.yaml, line 3: the key 'tokens' stands twice in one mapping, first in line 2"),
    Case(
      pipeline: "shape", 78, "shape.yaml, line 6: model.heads is 4, which does not divide the width of 30",
      options: ["--dry-run"]),
    Case(
      pipeline: "blocks", 78,
      "line 6: stage model: train_last_blocks is for a model that is trained further, and no model is given",
      options: ["--dry-run"]),
    Case(
      "no stages to run at once", .run, ["key.yaml", "--jobs", "-1"], 78,
      "--jobs: jobs must be a whole number of at least 1, not '-1'"),
    Case(
      "a number that is none", .tokenize, ["--corpus", "text.txt", "--vocabulary", "-1", "--output", "made"], 78,
      "--vocabulary: vocabulary must be a whole number from 257 to 2097152, not '-1'"),
    Case(
      "a number that is not finite", .import,
      ["--weights", "w", "--input", "logits", "--tau-min", "1", "--tau-max", "2", "--rho", "-nan", "--output", "made"],
      78, "--rho: rho must be a number of at least 0, or nothing, not '-nan'"),
    Case(
      "a policy without a name", .evaluate,
      ["--model", "m", "--tokens", "t", "--policy", "-1", "--output", "made"], 64, "'-1' is invalid for '--policy"),
    Case(
      "a wrong policy after a sound one", .evaluate,
      ["--model", "m", "--tokens", "t", "--policy", "a=0.5", "--policy", "b=-nan", "--output", "made"], 78,
      "--policy b=-nan: policies says '-nan' for b"),
    Case(
      "a policy without a number", .evaluate,
      ["--model", "m", "--tokens", "t", "--policy", "a=entropy-dynamic:1", "--output", "made"], 78,
      "--policy a=entropy-dynamic:1: policies says 'entropy-dynamic:1' for a; a policy is a temperature from 0.0001"),
    Case(
      "a path among policies", .evaluate,
      ["--model", "m", "--tokens", "t", "--set", "policies.a=./fitted", "--output", "made"], 78,
      "policies has the path './fitted' for a; put it under tempnets"),
    Case(
      "a policy's name that is given twice", .evaluate,
      ["--model", "m", "--tokens", "t", "--policy", "a=0.5", "--policy", "a=0.7", "--output", "made"], 78,
      "--policy a=0.7: the name 'a' is taken by --policy a=0.5"),
    Case(
      "a policy to generate with that is none", .generate, ["--model", "m", "--prompt", "-", "--policy", "-1"], 78,
      "--policy: policy must be a temperature from"),
    Case(
      "a number to generate with that is none", .generate, ["--model", "m", "--prompt", "-", "--top-p", "7"], 78,
      "--top-p: top_p must be a number"),
    Case(
      "a device that is none", .generate, ["--model", "m", "--prompt", "-", "--device", "tpu"], 78,
      "--device: device must be one of auto, cpu, cuda, not 'tpu'"),
    Case(
      "a form of the graph that is none", .run, ["graph", "key.yaml", "--format", "png"], 78,
      "--format: format must be one of text, dot, not 'png'"),
    Case(
      pipeline: "broken", 78, "broken.yaml, line 3: while parsing a flow sequence, did not find expected ',' or ']'"),
    Case(pipeline: "key", 78, "has no stage 'token'; did you mean 'tokens'?", options: ["--stage", "token"]),
    Case(
      "a setting of a stage that is none", .run, ["link.yaml", "--set", "token.vocabulary="], 78,
      "--set token.vocabulary=: the pipeline has no stage 'token'; did you mean 'tokens'?"),
  ]

  /// Of the programs for pictures and captions.
  static let pairCases = [
    Case("pairs from nowhere", pairs: ["none.tar"], 66, "none.tar: there are no such pairs"),
    Case(
      "a folder without pictures", pairs: ["folder"], 66, "folder: the folder contains neither pictures nor archives"),
    Case(
      "a table without pictures", pairs: ["table.csv"], 65, "table.csv: has no column of pictures (file_name, ",
      "its columns are 'url', 'words'; fields.image names another"),
    Case(
      "a table without the column that is named", pairs: ["table.csv", "--set", "fields.image=picture"], 65,
      "table.csv: has no column 'picture', which fields.image names; its columns are 'url', 'words'"),
    Case(
      "an archive that is none", pairs: ["archive.tar"], 65, "archive.tar: is no archive, although its name says so"),
    Case(
      "pictures that are pages", pairs: ["table.csv", "--set", "fields.image=url", "--set", "fields.caption=words"], 65,
      "table.csv: 1 of 1 sample cannot be used", "the picture is a text like HTML or SVG"),
    Case(
      "a share that is no number", pairs: ["table.csv", "--set", "validation=nan"], 78,
      "--set validation=nan: validation must be a number from 0 to 1, not 'nan'"),
    Case(
      "a tower for one side", .embed, ["--pairs", "p", "--set", "image_tower=folder", "--output", "made"], 78,
      "--set image_tower=folder: text_tower is missing: a tower is needed for each side"),
    Case(
      "arrays that are none", .embed, ["--from-npy", "text.txt", "text.txt", "--output", "made"], 65,
      "text.txt: is no .npy file: it does not begin like one"),
    Case(
      "a loss that is none", .contrast, ["--embeddings", "e", "--set", "loss=clipp", "--output", "made"], 78,
      "--set loss=clipp: loss must be one of clip, clip_learned, "),
    Case(
      "a temperature that is no number", .contrast,
      ["--embeddings", "e", "--set", "loss=clip", "--set", "temperature=nan", "--output", "made"], 78,
      "--set temperature=nan: temperature must be a number above 0 and at most 100"),
    Case(
      "embeddings from nowhere", .contrast, ["--embeddings", "nowhere", "--output", "made"], 66,
      "nowhere: there is no such artifact"),
    Case(
      "embeddings that are a text", .retrieve, ["--embeddings", "folder", "--output", "made"], 65,
      "folder: is not an artifact: it has no artifact.json"),
  ]

  @Test(arguments: cases + pairCases)
  func `bad input ends with its code and names the fault`(bad: Case) async throws {
    let before = try contents(folder.path)
    let outcome = try await bad.program(bad.arguments, in: folder.path)
    #expect(outcome.end == .exited(bad.status), "\(outcome)")
    #expect(outcome.output.isEmpty, "\(outcome)")
    #expect(outcome.errors.contains("\(bad.program.name): error: "), "\(outcome)")
    for words in bad.words { #expect(outcome.errors.contains(words), "\(outcome)") }
    #expect(!Files.exists(folder("made")))
    let after = try contents(folder.path)
    for (path, content) in before { #expect(after[path] == content, "\(path)") }
  }

  /// Foundation cannot pass such arguments, a shell can.
  @Test func `the error of a name that is not UTF-8 says so`() async throws {
    let program = try realPath("/proc/self/exe").split(separator: "/").dropLast().joined(separator: "/")
    let script = """
      printf text > "$(printf 'caf\\351.txt')"
      /\(program)/tempnet-tokenize --corpus "$(printf 'caf\\351.txt')" --output made 2> said || echo $? > code
      mkdir texts && mv caf* texts
      """
    let shell = try Process.run(URL(filePath: "/bin/sh"), arguments: ["-c", "cd '\(folder.path)'\n\(script)"])
    shell.waitUntilExit()
    #expect(try text(folder("code")) == "65\n")
    #expect(try text(folder("said")).contains(#"the argument 'caf\xE9.txt' is not UTF-8; rename"#))
    let listed = try await Program.tokenize(["--corpus", "texts", "--output", "made"], in: folder.path)
    #expect(listed.end == .exited(65) && listed.errors.contains(#"texts: the name 'caf\xE9.txt' in it is not UTF-8"#))
  }

  @Test func `an output inside the folder of its texts is refused`() async throws {
    try Files.makeFolder(folder("texts/deeper"))
    for output in ["texts/made", "texts/deeper/made", "texts/gone/made"] {
      let outcome = try await Program.tokenize(["--corpus", "texts", "--output", output], in: folder.path)
      #expect(
        outcome.end == .exited(78) && outcome.errors.contains("would lie in the folder of texts 'texts'"), "\(outcome)")
    }
    // Hidden files are not read.
    let hidden = try await Program.tokenize(["--corpus", "texts", "--output", "texts/.made"], in: folder.path)
    #expect(hidden.errors.contains("the folder contains no text"), "\(hidden)")
  }

  @Test func `a damaged ledger causes one warning and is written anew`() async throws {
    try folder.write("stages:\n" + Self.tokens, to: "sound.yaml")
    let ledger = folder("store/pipelines/sound.json")
    try Files.makeFolder(Files.folder(of: ledger))
    try folder.write("{", to: "store/pipelines/sound.json")
    let outcome = try await Program.run(["sound.yaml", "--store", "store"], in: folder.path)
    #expect(outcome.end == .exited(0), "\(outcome)")
    #expect(outcome.errors.ranges(of: "warning: the last results of the pipeline are unknown").count == 1, "\(outcome)")
    #expect(try JSON(parsing: try Files.read(ledger), source: ledger)["stages"]?["tokens"] != nil)
  }

  @Test func `a result that cannot be printed is a failure`() async throws {
    let arguments = ["--corpus", "text.txt", "--vocabulary", "300", "--output", "printed"]
    let outcome = try await Program.tokenize(arguments, in: folder.path, output: "/dev/full")
    #expect(outcome.end == .exited(74), "\(outcome)")
    #expect(outcome.errors.contains("standard output: cannot write: No space left on device"), "\(outcome)")
    #expect(try await Program.tokenize(arguments, in: folder.path).end == .exited(0))
  }
}
