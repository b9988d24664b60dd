import Glibc
import OrderedCollections

/// The members of a JSON object, in the order in which they were inserted.
public struct JSONObject: Sendable {
  private var members: OrderedDictionary<ExactString, JSON>

  public init() { members = [:] }

  public init(minimumCapacity: Int) { members = OrderedDictionary(minimumCapacity: minimumCapacity) }

  /// Traps when two members have the same name.
  public init(_ elements: some Sequence<(String, JSON)>) {
    members = OrderedDictionary(uniqueKeysWithValues: elements.lazy.map { (ExactString($0.0), $0.1) })
  }

  /// A new member goes to the end; setting nil removes one.
  public subscript(key: String) -> JSON? {
    get { members[ExactString(key)] }
    set { members[ExactString(key)] = newValue }
  }

  public var keys: some Sequence<String> { members.keys.lazy.map(\.text) }
  public var values: some Sequence<JSON> { members.values }
}

extension JSONObject: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { members.count }
  public subscript(position: Int) -> (key: String, value: JSON) {
    let (key, value) = members.elements[position]
    return (key.text, value)
  }
}

extension JSONObject: Equatable {
  /// The order of members has no meaning in JSON.
  public static func == (a: JSONObject, b: JSONObject) -> Bool {
    a.count == b.count && a.allSatisfy { b[$0.key] == $0.value }
  }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }
}
