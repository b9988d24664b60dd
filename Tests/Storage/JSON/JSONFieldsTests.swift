import Diagnostics
import JSON
import Testing

@Suite struct JSONFieldsTests {
  @Test func `members are read by kind and errors name file and place`() throws {
    var fields = try JSONFields(["a": 1, "b": ["c": "x"], "list": [["d": true], ["d": 2]]], source: "f.json")
    #expect(try fields.integer("a") == 1)
    #expect(try fields.number("a") == 1)
    var inner = try fields.fields("b")
    let failure = #expect(throws: Failure.self) { try inner.integer("c") }
    #expect(failure?.description == "f.json: b.c must be an integer, found a string")
    let missing = #expect(throws: Failure.self) { try inner.string("d") }
    #expect(missing?.description == "f.json: b.d is missing")
    var list = try fields.list("list")
    #expect(try list[0].boolean("d"))
    let second = #expect(throws: Failure.self) { try list[1].boolean("d") }
    #expect(second?.description == "f.json: list[1].d must be a boolean, found an integer")
    try fields.finish()
  }

  @Test func `unknown members are refused at the end`() throws {
    var fields = try JSONFields(["a": 1, "odd": 2], source: "f.json")
    _ = try fields.integer("a")
    let failure = #expect(throws: Failure.self) { try fields.finish() }
    #expect(failure?.description == "f.json: odd is not known")
  }
}

@Suite struct JSONDifferenceTests {
  @Test func `every difference is named with its place`() {
    let old: JSON = ["same": 1, "a": ["b": 6, "gone": true], "list": [1, 2], "kind": "x"]
    let new: JSON = ["kind": [:], "list": [1, 3, 4], "a": ["b": 7], "same": 1, "extra": .null]
    #expect(
      new.differences(from: old).map(\.description) == [
        "a.b was 6, is 7", "a.gone was true, is gone", "list[1] was 2, is 3", "list[2] is new: 4",
        "kind was \"x\", is {}", "extra is new: null",
      ])
  }

  @Test func `equal values have none whatever the order of members`() {
    #expect((["b": 1, "a": [1]] as JSON).differences(from: ["a": [1], "b": 1]).isEmpty)
  }
}
