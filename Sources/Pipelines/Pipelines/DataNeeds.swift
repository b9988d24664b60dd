import Configuration
import Files

/// Which data descriptors a pipeline's files come from, and which of their data are not there.
///
/// A descriptor is a YAML file that states a licence. Its data lie in `cache/NAME` beside it; `scripts/fetch-data` brings
/// them.
public struct DataNeeds {
  /// Paths of descriptors that exist, each once, in the order in which the pipeline names them or their data.
  public let descriptors: [String]

  public init(_ pipeline: PipelineSpecification) {
    var seen: Set<String> = []
    descriptors = pipeline.stages.flatMap { stage in
      stage.configuration.texts
        + stage.inputs.flatMap(\.sources).compactMap { if case .path(let path) = $0 { path } else { nil } }
    }.compactMap(Self.descriptor).filter { seen.insert($0).inserted }
  }

  /// Those whose data are missing, or older than the descriptor.
  public var missing: [String] {
    get throws {
      try descriptors.filter { path in
        guard let name = Self.name(ofDescriptor: path) else { return false }
        guard let data = try Files.status("\(Files.folder(of: path))/cache/\(name)") else { return true }
        return try Files.status(path).map { $0.modified > data.changed } ?? false
      }
    }
  }

  /// The descriptor that a path names, or whose data it lies in.
  private static func descriptor(of path: String) -> String? {
    var descriptor = path
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    if let cache = parts.lastIndex(of: "cache"), cache + 1 < parts.count {
      descriptor = (parts[..<cache] + ["\(parts[cache + 1]).yaml"]).joined(separator: "/")
    }
    return name(ofDescriptor: descriptor) == nil ? nil : descriptor
  }

  /// The name that a descriptor gives its data; nil for any other file.
  private static func name(ofDescriptor path: String) -> String? {
    guard path.utf8.suffix(5).elementsEqual(".yaml".utf8), let node = try? YAMLSource.read(file: path),
      node["licence"] != nil
    else { return nil }
    return node["name"]?.scalar?.text
  }
}

extension YAMLNode {
  /// All scalars in it.
  fileprivate var texts: [String] {
    switch content {
    case .scalar(let scalar): [scalar.text]
    case .sequence(let nodes): nodes.flatMap(\.texts)
    case .mapping(let entries): entries.flatMap(\.value.texts)
    }
  }
}
