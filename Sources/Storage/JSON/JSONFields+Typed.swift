import Diagnostics

extension JSONFields {
  // Members that may be missing or null.

  public mutating func integer(ifPresent name: String) throws -> Int? {
    try present(name, "an integer", \.intValue)
  }
  public mutating func number(ifPresent name: String) throws -> Double? {
    try present(name, "a number", \.doubleValue)
  }
  public mutating func boolean(ifPresent name: String) throws -> Bool? {
    try present(name, "a boolean", \.boolValue)
  }
  public mutating func string(ifPresent name: String) throws -> String? {
    try present(name, "a string", \.stringValue)
  }
  public mutating func fields(ifPresent name: String) throws -> JSONFields? {
    try present(name, "an object", \.objectValue) == nil ? nil : fields(name)
  }

  private mutating func present<Value>(
    _ name: String, _ kind: String, _ convert: (JSON) -> Value?
  ) throws -> Value? {
    guard let member = optional(name), !member.isNull else { return nil }
    guard let value = convert(member) else { throw failure(name, "must be \(kind), found \(member.kindName)") }
    return value
  }
}
