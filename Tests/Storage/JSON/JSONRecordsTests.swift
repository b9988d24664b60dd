import Diagnostics
import TestSupport
import Testing

@testable import Files
@testable import JSON

@Suite struct JSONRecordsTests {
  /// Delivers its bytes in small pieces.
  private final class Pieces: ByteSource {
    let name = "x.json"
    private var rest: ArraySlice<UInt8>
    private let size: Int

    init(_ bytes: [UInt8], size: Int) { (rest, self.size) = (bytes[...], size) }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
      let taken = rest.prefix(min(size, buffer.count))
      buffer.copyBytes(from: taken)
      rest = rest.dropFirst(taken.count)
      return taken.count
    }
  }

  private func read(_ bytes: [UInt8], size: Int = 1 << 16, limit: Int = 1 << 20) throws -> [JSONRecords.Record] {
    var records = try JSONRecords(Pieces(bytes, size: size), limit: limit)
    var found: [JSONRecords.Record] = []
    while let record = try records.next() { found.append(record) }
    return found
  }

  private func read(_ text: String, size: Int = 1 << 16) throws -> [JSONRecords.Record] {
    try read(Array(text.utf8), size: size)
  }

  private func failure(_ text: String) -> Failure? {
    do {
      _ = try read(text)
      return nil
    } catch { return error as? Failure }
  }

  private static let array = """
      [ {"a": "}]\\"," , "b": [1, {"c": []}]},
     "two", 3 , [4,[5]],true
      ,null, {"😀": "\\\\"}]

    """

  @Test(arguments: [1, 2, 3, 7, 64, 1 << 16]) func `reads an array, wherever its pieces are cut`(size: Int) throws {
    let whole = try JSON(parsing: Self.array, source: "whole").arrayValue
    let records = try read(Self.array, size: size)
    #expect(records.map(\.json) == whole)
    #expect(records.map(\.place) == (1...7).map { "x.json, entry \($0)" })
    #expect(try read("[]", size: size).isEmpty)
    #expect(try read(" \n[\n] \n", size: size).isEmpty)
  }

  @Test(arguments: [1, 3, 1 << 16]) func `reads the array of an object's member, or lines`(size: Int) throws {
    func read(_ text: String) throws -> [JSON] {
      var records = try JSONRecords(Pieces(Array(text.utf8), size: size), member: "images")
      var found: [JSON] = []
      while let record = try records.next() { found.append(record.json) }
      return found
    }
    let before = #"{"a": [1, {"images": [2]}], "b": "images", "c\"images": [3], "d": {"images": [4]}, "#
    #expect(try read(before + #""images": [5, {"x": "]"}], "e": 6}"#) == [5, ["x": "]"]])
    #expect(try read("{\"x\": 1}\n{\"images\": [2]}\n") == [["x": 1], ["images": [2]]])
    #expect(try read("[1, 2]") == [1, 2])
    #expect(throws: Failure.self) { try read(before + "\"images\": [5, 6") }
  }

  @Test(arguments: [1, 5, 1 << 16]) func `reads lines, without those that are blank`(size: Int) throws {
    let records = try read("{\"a\": 1}\r\n \n\t\n2\n\"three\"", size: size)
    #expect(records.map(\.json) == [["a": 1], 2, "three"])
    #expect(records.map(\.place) == ["x.json, line 1", "x.json, line 4", "x.json, line 5"])
    #expect(try read("", size: size).isEmpty)
  }

  @Test func `a byte order mark is skipped`() throws {
    #expect(try read("\u{FEFF}{\"a\": 1}\n2").map(\.json) == [["a": 1], 2])
    #expect(try read("\u{FEFF}[1]").map(\.json) == [1])
    #expect(try read("\u{FEFF}", size: 1).isEmpty)
  }

  @Test func `names the fault of an array and its place`() {
    #expect(
      failure("[1\n,2") == Failure(.badData, "the text ends too early: the array is not closed", at: "x.json, line 2"))
    #expect(failure("[1,\n\n{\"a\": 2")?.place == "x.json, line 3")
    #expect(failure("[1 2]")?.message == "expected ',' or ']' after element 1")
    #expect(failure("[1,]")?.message == "expected a value after element 1")
    #expect(failure("[,1]")?.message == "expected a value after element 0")
    #expect(failure("[1]\n[2]")?.message.hasPrefix("something follows the array") == true)
    #expect(failure("[{\"a\": 1},\n\n {\"b\":\n x}]")?.place == "x.json, entry 2, line 4")
    #expect(failure("[[1}]")?.status == .badData)
    #expect(failure("[")?.message.hasPrefix("the text ends too early") == true)
  }

  @Test func `a value over several lines is refused with a remedy, and a cut one as cut`() {
    let long = failure("{\"a\": 1}\n{\n \"a\": 1\n}\n")
    #expect(long?.place == "x.json, line 2")
    #expect(long?.message.contains("goes on in the next line") == true && long?.message.contains("jq -c .") == true)
    #expect(failure("{\"a\": 1}\n{\"a\": ")?.message.contains("goes on") == false)
    #expect(failure("{\"a\": ]}\n2")?.message.contains("goes on") == false)
  }

  @Test func `an array of any size takes the memory of one element`() throws {
    let element = Array(#"{"text": "\#(String(repeating: "x", count: 1000))"},"#.utf8)
    final class Endless: ByteSource {
      let name = "endless"
      let element: [UInt8]
      var left = 100_000
      init(_ element: [UInt8]) { self.element = element }
      func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let bytes = left == 100_000 ? Array("[".utf8) : left == 0 ? Array("1]".utf8) : left < 0 ? [] : element
        left -= 1
        buffer.copyBytes(from: bytes)
        return bytes.count
      }
    }
    var records = try JSONRecords(Endless(element))
    resetPeak()
    let before = memory("VmHWM")
    var count = 0
    while try records.next() != nil { count += 1 }
    #expect(count == 100_000)
    #expect(memory("VmHWM") - before < 16 << 20)
    let long = #expect(throws: Failure.self) {
      try read(Array("[\"".utf8) + [UInt8](repeating: 0x61, count: 200_000), limit: 1000)
    }
    #expect(long?.message == "element 1 is longer than 1000 bytes")
  }

  @Test func `text in other encodings and packed files are named`() throws {
    func problem(_ bytes: [UInt8]) -> String { (#expect(throws: Failure.self) { try read(bytes) })?.message ?? "" }
    let text = "{\"text\": \"Größe\"}\n"
    let wide = text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    #expect(problem(wide) == "is no JSON in UTF-8: it is probably UTF-16 LE, which iconv -f UTF-16LE -t UTF-8 converts")
    #expect(problem([0xFF, 0xFE] + wide).contains("iconv -f UTF-16 -t"))
    #expect(problem(text.unicodeScalars.flatMap { [0, 0, 0, UInt8($0.value)] }).contains("probably UTF-32 BE"))
    let latin1 = problem(
      Array("{\"text\": \"Größe und Höhe, schön für Mädchen\"}\n".unicodeScalars.map { UInt8($0.value) }))
    #expect(
      latin1 == "not valid UTF-8; it is probably WINDOWS-1252, which iconv -f WINDOWS-1252 -t UTF-8 converts")
    #expect(problem([0x1F, 0x8B, 8, 0, 0, 0]).contains("packed by gzip"))
  }
}
