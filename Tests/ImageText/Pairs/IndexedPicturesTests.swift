import Artifacts
import Diagnostics
import Files
import TestSupport
import Testing

@testable import Pairs

/// Tables, JSON, imagefolders, and pictures with texts beside them.
@Suite struct IndexedPicturesTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for name in ["a", "b", "c"] { try folder.write(name.uppercased(), to: "p/\(name).jpg") }
  }

  @Test func `a table with tabs and open_clip's columns is read, rows of one picture joined`() throws {
    let table = "filepath\ttitle\na.jpg\tone\nb.jpg\ttwo\na.jpg\tthree\n"
    let path = try folder.write(table, to: "p/x.csv")
    #expect(try lines([path]) == ["a.jpg=A: one / three", "b.jpg=B: two"])
  }

  @Test func `a table's quotation marks, separators and columns are found or given`() throws {
    let table = "\u{FEFF}note,my picture,words\r\n\"x, \"\"y\"\"\nz\",./a.jpg,\"one, two\"\r\n,b.jpg,\r\n,c.jpg\r\n"
    let path = try folder.write(table, to: "p/x.csv")
    var options = PairSources.Options()
    (options.fields.image, options.fields.caption) = ("my picture", "words")
    #expect(
      try lines([path], options) == ["- x.csv, line 5: has 2 fields, the header 3", "./a.jpg=A: one, two", "b.jpg=B: "])
    let failure = #expect(throws: Failure.self) {
      try lines([folder.write("file,text\na.jpg,\"open", to: "p/y.csv")])
    }
    #expect(failure?.description.contains("line 2") == true)
  }

  @Test func `a table without the columns that are needed is refused with those that it has`() throws {
    let path = try folder.write("url,words\na.jpg,one\n", to: "p/x.csv")
    func message(_ options: PairSources.Options = PairSources.Options()) -> String? {
      let failure = #expect(throws: Failure.self) { try lines([path], options) }
      #expect(failure?.status == .badData && failure?.place == path)
      return failure?.message
    }
    #expect(
      message()?.hasPrefix("has no column of pictures (file_name, image, ") == true
        && message()?.hasSuffix("; its columns are 'url', 'words'; fields.image names another") == true)
    var options = PairSources.Options()
    (options.fields.image, options.fields.caption) = ("url", "word")
    #expect(message(options) == "has no column 'word', which fields.caption names; its columns are 'url', 'words'")
    (options.fields.caption, options.fields.concept) = ("words", "kind")
    #expect(message(options)?.contains("'kind', which fields.concept names") == true)
    options.fields.concept = PairFields().concept
    #expect(try lines([path], options) == ["a.jpg=A: one"])
  }

  @Test(arguments: ["x.tar", "x.tar.gz", "x.zip"]) func `a file that is no archive is refused`(_ name: String) throws {
    let path = try folder.write([UInt8]((0..<2000).map { UInt8($0 * 7 % 251) }), to: name)
    let failure = #expect(throws: Failure.self) { try lines([path]) }
    #expect(failure?.status == .badData && failure?.message == "is no archive, although its name says so")
  }

  @Test func `the authors' list and lines of JSON are read`() throws {
    let list =
      #"[{"image": "a.jpg", "caption": ["one", "two"], "image_id": 4}, {"image": "b.jpg", "caption": "three"}]"#
    #expect(try lines([folder.write(list, to: "p/x.json")]) == ["a.jpg=A: one / two", "b.jpg=B: three"])
    let rows = "{\"file_name\": \"c.jpg\", \"text\": \"four\"}\n{\"text\": \"five\"}\n3\n"
    #expect(
      try lines([folder.write(rows, to: "p/x.jsonl")]).map { $0.prefix(48) }
        == [
          "- x.jsonl, line 2: names no picture (in one of fi", "- x.jsonl, line 3: is an integer, not an object",
          "c.jpg=C: four",
        ].map { $0.prefix(48) })
  }

  @Test func `Karpathy's file is read with its splits`() throws {
    let file = """
      {"dataset": "coco", "other": [1, {"images": [2]}], "images": [
        {"filepath": "p", "filename": "a.jpg", "split": "restval", "sentences": [{"raw": "one"}, {"raw": "two."}]},
        {"filename": "p/b.jpg", "split": "val", "sentences": [{"raw": "three"}]}], "end": []}
      """
    #expect(
      try lines([folder.write(file, to: "x.json")]) == ["p/a.jpg=A: one / two. | restval", "p/b.jpg=B: three | val"])
  }

  @Test func `a compressed table is read`() throws {
    // gzip of "image,caption\na.jpg,one\n", by Python's gzip.compress(..., mtime=0).
    let packed: [UInt8] = [
      31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 204, 77, 76, 79, 213, 73, 78, 44, 40, 201, 204, 207, 227, 74, 212, 203, 42,
      72, 215, 201, 207, 75, 229, 2, 0, 1, 58, 228, 186, 24, 0, 0, 0,
    ]
    #expect(try lines([folder.write(packed, to: "p/x.csv.gz")]) == ["a.jpg=A: one"])
  }

  @Test func `names that lead out of the folder are left out`() throws {
    try folder.write("S", to: "secret.jpg")
    let rows = ["../secret.jpg", "/etc/passwd", folder("secret.jpg"), "a.jpg", folder("p/b.jpg")]
      .map { "{\"image\": \"\($0)\", \"caption\": \"x\"}" }.joined(separator: "\n")
    let found = try lines([folder.write(rows, to: "p/x.jsonl")])
    #expect(found.filter { $0.hasPrefix("-") }.count == 3)
    // Composed and decomposed accents are equal texts and different folders.
    #expect(IndexedPictures.path(of: "/e\u{301}/a.jpg", below: "/\u{E9}") == nil)
    #expect(IndexedPictures.path(of: "../\u{301}a.jpg", below: "/p") == nil)
    #expect(IndexedPictures.path(of: "/p/\u{301}a.jpg", below: "/p/") == "/p/\u{301}a.jpg")
    #expect(found.filter { !$0.hasPrefix("-") } == ["a.jpg=A: x", "\(folder("p/b.jpg"))=B: x"])
    var options = PairSources.Options()
    options.imageRoot = folder.path
    #expect(try lines([folder("p/x.jsonl")], options).contains("\(folder("secret.jpg"))=S: x"))
  }

  @Test func `an imagefolder has metadata in it or in its folders`() throws {
    try folder.write("{\"file_name\": \"a.jpg\", \"text\": \"one\", \"label\": 3}\n", to: "p/metadata.jsonl")
    try folder.write("D", to: "p/train/d.png")
    try folder.write("file_name,text\nd.png,four\ne.png,five\n", to: "p/train/metadata.csv")
    #expect(
      try lines([folder("p")]) == [
        "a.jpg=A: one | 3", "train/d.png=D: four | train", "train/e.png=missing: five | train",
        "- b.jpg: no line of the metadata names it", "- c.jpg: no line of the metadata names it",
      ])
  }

  @Test func `an imagefolder may lie in an archive, its metadata first or the archive a zip`() throws {
    let metadata =
      "{\"file_name\": \"a.png\", \"captions\": [\"one\"], \"concept\": \"k\"}\n{\"file_name\": \"z.png\", \"text\": \"t\"}\n"
    let expected = [
      "a.png=A: one | k", "- b.png: no line of the metadata names it",
      "- metadata.jsonl, line 2: 'z.png' is not in the archive",
    ]
    let tar = tarFile(["metadata.jsonl": metadata, "a.png": "A", "b.png": "B"])
    #expect(try lines([folder.write(tar, to: "x.tar")]) == expected)
    let zip = try ArchiveWriter(folder("x.zip"), .zip)
    for (name, content) in [("a.png", "A"), ("b.png", "B"), ("metadata.jsonl", metadata)] { try zip.add(name, content) }
    try zip.close()
    #expect(try lines([folder("x.zip")]) == expected)
  }

  @Test func `pictures have texts beside them`() throws {
    try folder.write("one\n", to: "p/a.txt")
    try folder.write("two", to: "p/b.caption")
    try folder.write("{\"caption\": \"three\", \"style\": \"s\"}", to: "p/b.json")
    try folder.write("D", to: "p/val/d.jpeg")
    try folder.write("four", to: "p/val/d.txt")
    #expect(
      try lines([folder("p")]) == [
        "a.jpg=A: one", "b.jpg=B: two / three | s", "c.jpg=C: ", "val/d.jpeg=D: four | validation",
      ])
  }

  @Test func `a path of no known form is refused`() throws {
    let cases: [(String, Diagnostics.ExitStatus)] = [
      ("none.tar", .missingInput), ("x.txt", .badData), ("empty", .missingInput),
    ]
    try folder.write("x", to: "x.txt")
    try Files.makeFolder(folder("empty"))
    for (name, status) in cases {
      let failure = #expect(throws: Failure.self) { try lines([folder(name)]) }
      #expect(failure?.status == status)
    }
  }

  @Test func `every file that decides the result identifies it`() throws {
    let table = try folder.write("image,caption\na.jpg,one\n../x.jpg,two\n", to: "p/x.csv")
    let options = PairSources.Options()
    func names(_ path: String) throws -> [String] {
      try PairSources.identifyingFiles(of: path, options).map {
        "\($0.name): \($0.files?.joined(separator: " ") ?? "file")"
      }
    }
    #expect(try names(table) == ["x.csv: file", "x.csv/pictures: a.jpg"])
    #expect(try names(folder("p")) == ["files: a.jpg b.jpg c.jpg x.csv"])
    try folder.write("A", to: "é/a.jpg")
    #expect(try names(folder.write("image,caption\na.jpg,one\n", to: "é/x.csv"))[1] == "x.csv/pictures: a.jpg")
    try folder.write(tarFile(["0.jpg": "J"]), to: "p/s.tar")
    #expect(try names(folder("p")) == ["s.tar: file"])
  }
}
