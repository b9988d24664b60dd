import Diagnostics
import Files
import TestSupport
import Testing
import Weights

struct SafetensorsFileTests {
  @Test func `reads every type that the library writes`() throws {
    let file = try SafetensorsFile(fixture("mixed.safetensors"))
    #expect(file.metadata == ["note": "a \"quoted\" word, a\ttab, ümlaut"])
    #expect(file.entries.count == 12)
    #expect(try file.entry("scaler").shape == [])
    #expect(try file.entry("scaler").floats() == [0.25])
    #expect(
      try file.entry("proj.0.weight", type: .float32, shape: [4, nil]).floats() == (0..<12).map { Float($0) / 8 })
    let widened: [Float] = [0, -0, 1, -1.5, 3.140625, 65504]
    #expect(try file.entry("half").floats() == widened)
    #expect(try file.entry("brain").floats() == widened.map { Float(bitPattern: $0.bitPattern & 0xFFFF_0000) })
    #expect(try file.entry("wide").floats() == [Float(Double.pi), -2.7182817])
    #expect(try file.entry("labels").integers() == [-1, 1 << 40])
    #expect(try file.entry("ids").integers() == [7, -7, Int(Int32.max)])
    #expect(try file.entry("flags").integers() == [1, 0, 1])
    #expect(try file.entry("bytes").integers() == [0, 127, 255])
    #expect(try file.entry("none").floats() == [])
    #expect(try file.entry("Größe ✓").integers() == [-128])
  }

  @Test func `reads some rows`() throws {
    let entry = try SafetensorsFile(fixture("mixed.safetensors")).entry("proj.0.weight")
    #expect(try entry.floats(rows: 1..<3) == (3..<9).map { Float($0) / 8 })
    #expect(try entry.floats(rows: 4..<4) == [])
  }

  @Test func `reads a file without tensors`() throws {
    let file = try SafetensorsFile(fixture("empty.safetensors"))
    #expect(file.entries.isEmpty && file.metadata.isEmpty)
  }

  @Test func `null metadata count as none`() throws {
    let header = Array(#"{"__metadata__":null}   "#.utf8)
    let file = try opening(withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init) + header)
    #expect(file.metadata.isEmpty && file.entries.isEmpty)
  }

  @Test func `names a tensor that is missing, or that has another type or shape`() throws {
    let file = try SafetensorsFile(fixture("mixed.safetensors"))
    #expect(failure { try file.entry("scalar") }.contains("no tensor \"scalar\"; there is \"scaler\""))
    #expect(failure { try file.entry("ids", type: .float32) }.contains("\"ids\": is I32, expected F32"))
    #expect(failure { try file.entry("half", shape: [nil, 4]) }.contains("has shape [2, 3], expected [any, 4]"))
    #expect(failure { try file.entry("ids").floats() }.contains("holds I32, not floating-point numbers"))
    #expect(failure { try file.entry("half").integers() }.contains("holds F16, not whole numbers"))
    #expect(failure { try file.entry("big").integers() }.contains("18446744073709551615 is more than"))
  }

  @Test func `refuses a file cut at any place`() throws {
    let whole = try Files.read(fixture("mixed.safetensors"))
    for length in 0..<whole.count {
      #expect(throws: Failure.self, "cut to \(length) of \(whole.count) bytes") {
        try opening(Array(whole.prefix(length)))
      }
    }
  }

  @Test func `never reads outside a file with a damaged header`() throws {
    let whole = try Files.read(fixture("mixed.safetensors"))
    for position in 0..<(whole.count - 135) {
      var damaged = whole
      damaged[position] ^= [1, 0x10, 0x80][position % 3]
      // Some damage leaves a valid file with another name or type; then every tensor must be readable.
      guard let file = try? opening(damaged) else { continue }
      for entry in file.entries { entry.withBytes { _ = $0.reduce(0) { $0 &+ Int($1) } } }
    }
  }

  @Test(arguments: [
    ("", "does not begin with {"),
    ("[1]", "does not begin with {"),
    (" {}", "does not begin with {"),
    ("{", "line 1"),
    ("{}{}", "line 1"),
    (#"{"a":1}"#, "\"a\": is an integer, not an object"),
    (#"{"__metadata__":[]}"#, "not an object of strings"),
    (#"{"__metadata__":{"rho":3}}"#, "the value of \"rho\" is not a string"),
    (#"{"a":{"shape":[1],"data_offsets":[0,4]}}"#, "\"a\": dtype is not a string"),
    (#"{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#, "dtype F31 is not one of BOOL, U8"),
    (#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#, "shape is not a list"),
    (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, "not a whole number from 0 up"),
    (#"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, "not a whole number from 0 up"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, "[4, 0] are not a beginning and an end"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, "[0] are not a beginning and an end"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "takes 8 bytes, but data_offsets [0, 4] span 4"),
    (#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#, "more bytes than 64 bits count"),
    (#"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,4]}}"#, "more bytes than 64 bits count"),
    (#"{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}}"#, "not a whole number"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#, "unknown field \"x\""),
    (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, "describes 2 bytes of data, but 4 follow"),
    (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}"#, "begin at 1, but the data before it end at 0"),
    (#"{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}"#, "describes 8 bytes of data, but 4 follow"),
    (
      #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
      "\"b\": data_offsets begin at 2, but the data before it end at 3"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
      "\"b\": data_offsets begin at 2, but the data before it end at 1"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
      "is several members of that name"
    ),
  ])
  func `refuses a bad header with the reason`(header: String, reason: String) {
    let message = failure { try opening(file(header: header, data: [1, 2, 3, 4])) }
    #expect(message.contains("test.safetensors"))
    #expect(message.contains(reason), "\(message)")
  }

  @Test func `refuses a header longer than its file or than allowed`() {
    #expect(
      failure { try opening(Array(repeating: 0xFF, count: 64)) }.contains(
        "is no safetensors file: its header would have"))
    #expect(
      failure { try opening([9, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D]) }.contains(
        "the header (9 bytes at 8) lies outside the file of 10 bytes"))
  }

  @Test func `reads tensors that are not aligned`() throws {
    let header =
      #"{"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
    let file = try opening(file(header: header, data: [9, 0, 0, 0x80, 0x3F]))
    #expect(file.entries.map(\.name) == ["a", "b"])
    #expect(try file.entry("b").floats() == [1])
  }

  @Test func `distinguishes names that only look equal`() throws {
    let header =
      "{\"\u{E9}\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
      + "\"e\u{301}\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}"
    let file = try opening(file(header: header, data: [1, 2]))
    #expect(try file.entry("\u{E9}").integers() == [1])
    #expect(try file.entry("e\u{301}").integers() == [2])
  }

  @Test func `a missing file is a missing input`() {
    let message = #expect(throws: Failure.self) { try SafetensorsFile("/nowhere/model.safetensors") }
    #expect(message?.status == .missingInput)
  }

  /// The text of the `.badData` failure that `body` must throw.
  private func failure(_ body: () throws -> Any) -> String {
    do {
      _ = try body()
      Issue.record("nothing was refused")
      return ""
    } catch {
      #expect((error as? Failure)?.status == .badData)
      return "\(error)"
    }
  }
}
