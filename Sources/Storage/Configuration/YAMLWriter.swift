import JSON

extension YAMLNode {
  /// The value as a YAML file that reads back equal: a line for each key, nested lists and mappings in brackets, and
  /// each scalar spelt as before.
  public var document: String {
    guard let entries = mapping, !entries.isEmpty else { return "\(flow)\n" }
    return entries.map { "\(inQuotes($0.key)): \($0.value.flow)\n" }.joined()
  }

  private var flow: String {
    switch content {
    case .scalar(let scalar): scalar.spelling
    case .sequence(let nodes): "[\(nodes.map(\.flow).joined(separator: ", "))]"
    case .mapping(let entries): "{\(entries.map { "\(inQuotes($0.key)): \($0.value.flow)" }.joined(separator: ", "))}"
    }
  }
}

extension YAMLScalar {
  /// Plain scalars stay without quotation marks, which would turn them into strings.
  fileprivate var spelling: String {
    if isNull { return "null" }
    return boolean != nil || integer != nil || number != nil ? text : inQuotes(text)
  }
}

/// A JSON string is a double-quoted string of YAML.
private func inQuotes(_ text: String) -> String { JSON.string(text).canonical }
