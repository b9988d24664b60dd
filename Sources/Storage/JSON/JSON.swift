/// A JSON value.
///
/// Whole numbers and other numbers are kept apart: `1` is an `integer`, `1.0` a `number`, and each is written back
/// as what it was. Strings are compared by their bytes, not by Unicode's canonical equivalence, because file names,
/// vocabularies and keys that differ in bytes are different things.
///
/// Files of others may hold values outside this type. They are read as `unusable`, which is neither number nor text, so
/// that only a reader of such a value meets an error.
public enum JSON: Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  /// A number with a fraction or an exponent. JSON has no NaN and no infinity: such values are written as `null`.
  case number(Double)
  case string(String)
  case array([JSON])
  case object(JSONObject)
  case unusable(Unusable)

  /// A value in a file of others that this type cannot hold.
  public enum Unusable: Equatable, Sendable {
    /// A number beyond 64 bits, NaN or an infinity, as the file spells it.
    case number(String)
    /// A string with halves of surrogate pairs, which no text can hold: how many, and the text with U+FFFD for each.
    case loneSurrogates(count: Int, replaced: String)
    /// The member of an object that has this name several times.
    case repeated
  }
}

extension JSON {
  public var isNull: Bool { self == .null }
  public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var intValue: Int? { if case .integer(let value) = self { value } else { nil } }
  public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
  public var arrayValue: [JSON]? { if case .array(let value) = self { value } else { nil } }
  public var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }

  /// The value of a number of either kind, also of an integer beyond 64 bits; nil for what is not finite.
  public var doubleValue: Double? {
    switch self {
    case .number(let value): value
    case .integer(let value): Double(value)
    case .unusable(.number(let literal)): Double(literal).flatMap { $0.isFinite ? $0 : nil }
    default: nil
    }
  }

  /// A number; null where there is none.
  public static func number(orNull value: Double?) -> JSON { value.map(JSON.number) ?? .null }

  /// The member of that name; nil where there is none or this is not an object.
  ///
  /// Setting a member of a value that is not an object is a programmer mistake and traps.
  public subscript(key: String) -> JSON? {
    get { objectValue?[key] }
    set {
      guard case .object(var object) = self else { preconditionFailure("only an object has a member \(key)") }
      self = .null  // Gives up this reference, so that the object is changed in place and not copied.
      object[key] = newValue
      self = .object(object)
    }
  }

  /// The kind of value, for messages.
  public var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    case .unusable(.number(let literal))
    where literal.utf8.last == UInt8(ascii: "N") || literal.utf8.last == UInt8(ascii: "y"):
      "\(literal), which is no number"
    case .unusable(.number(let literal)):
      literal.utf8.count > 40 ? "a number of \(literal.utf8.count) digits" : "\(literal), which does not fit in 64 bits"
    case .unusable(.loneSurrogates): "a string with half a surrogate pair"
    case .unusable(.repeated): "several members of that name"
    }
  }
}

extension JSON: Equatable {
  /// Objects are equal when they have equal members, in whatever order.
  public static func == (a: JSON, b: JSON) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.number(let a), .number(let b)): a == b
    case (.string(let a), .string(let b)): ExactString(a) == ExactString(b)
    case (.array(let a), .array(let b)): a == b
    case (.object(let a), .object(let b)): a == b
    case (.unusable(let a), .unusable(let b)): a == b
    default: false
    }
  }
}

extension JSON: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSON)...) { self = .object(JSONObject(elements)) }
}
