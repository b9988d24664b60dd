/// One place where two JSON values differ; nil stands for a member that one of them lacks.
public struct JSONDifference: Equatable, Sendable, CustomStringConvertible {
  /// As in `configuration.layers[2].width`; empty for the whole value.
  public let path: String
  public let old: JSON?
  public let new: JSON?

  /// As in `configuration.rho was 6.0, is 7.0`.
  public var description: String {
    switch (old, new) {
    case (let old?, let new?): "\(path) was \(old.compact), is \(new.compact)"
    case (let old?, nil): "\(path) was \(old.compact), is gone"
    case (nil, let new?): "\(path) is new: \(new.compact)"
    case (nil, nil): path
    }
  }
}

extension JSON {
  /// Every place where this value differs from an older one, in the order of the older one's members.
  public func differences(from old: JSON, at path: String = "") -> [JSONDifference] {
    switch (old, self) {
    case (.object(let old), .object(let new)):
      let names = old.keys + new.keys.filter { old[$0] == nil }
      return names.flatMap { name in
        Self.differences(old[name], new[name], at: path.isEmpty ? name : "\(path).\(name)")
      }
    case (.array(let old), .array(let new)):
      return (0..<max(old.count, new.count)).flatMap { index in
        Self.differences(
          old.indices.contains(index) ? old[index] : nil, new.indices.contains(index) ? new[index] : nil,
          at: "\(path)[\(index)]")
      }
    default: return old == self ? [] : [JSONDifference(path: path, old: old, new: self)]
    }
  }

  private static func differences(_ old: JSON?, _ new: JSON?, at path: String) -> [JSONDifference] {
    guard let old, let new else { return [JSONDifference(path: path, old: old, new: new)] }
    return new.differences(from: old, at: path)
  }
}
