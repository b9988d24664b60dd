import Configuration
import Files

/// Which data descriptors a pipeline's files come from, and which of their data are not there.
///
/// A descriptor is a YAML file that states a licence. Its data lie in `cache/NAME` beside it; `scripts/fetch-data` brings
/// them.
public struct DataNeeds {
  /// Paths of descriptors that exist, each once, in the order in which the pipeline names them or their data.
  public var descriptors: [String] { found.map(\.path) }
  private let found: [Descriptor]

  fileprivate struct Descriptor {
    let path: String
    /// The folder of its data.
    let data: String
  }

  public init(_ pipeline: PipelineSpecification) {
    var seen: Set<String> = []
    found = pipeline.stages.flatMap { stage in
      stage.configuration.texts
        + stage.inputs.flatMap(\.sources).compactMap { if case .path(let path) = $0 { path } else { nil } }
    }.compactMap(Descriptor.init(of:)).filter { seen.insert($0.path).inserted }
  }

  /// Those whose data are missing, or older than the descriptor.
  public var missing: [String] {
    get throws {
      try found.filter { descriptor in
        guard let data = try Files.status(descriptor.data) else { return true }
        return try Files.status(descriptor.path).map { $0.modified > data.changed } ?? false
      }.map(\.path)
    }
  }
}

extension DataNeeds.Descriptor {
  /// The descriptor that a path names, or whose data it lies in; nil where it is neither.
  fileprivate init?(of named: String) {
    var path = named
    let parts = named.split(separator: "/", omittingEmptySubsequences: false)
    if let cache = parts.lastIndex(of: "cache"), cache + 1 < parts.count {
      path = (parts[..<cache] + ["\(parts[cache + 1]).yaml"]).joined(separator: "/")
    }
    guard path.utf8.suffix(5).elementsEqual(".yaml".utf8), let node = try? YAMLSource.read(file: path),
      node["licence"] != nil, let name = node["name"]?.scalar?.text
    else { return nil }
    self.init(path: path, data: "\(Files.folder(of: path))/cache/\(name)")
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
