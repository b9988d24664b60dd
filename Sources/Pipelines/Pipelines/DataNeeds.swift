import Configuration
import DataDescriptors

/// The data descriptors that a pipeline names, or whose files it names. `scripts/fetch-data` fetches the data.
public struct DataNeeds {
  /// Each once, in the order in which the pipeline names them or their files.
  private let found: [DataDescriptor]

  /// - Throws: `Failure(.badConfiguration)` for a descriptor with a fault.
  public init(_ pipeline: PipelineSpecification) throws {
    var seen: Set<String> = []
    found = try pipeline.stages.flatMap { stage in
      stage.configuration.texts
        + stage.inputs.flatMap(\.sources).compactMap { if case .path(let path) = $0 { path } else { nil } }
    }.compactMap(DataDescriptor.init(mentionedAs:)).filter { seen.insert($0.path).inserted }
  }

  /// Paths of all descriptors.
  public var descriptors: [String] { found.map(\.path) }

  /// Paths of the descriptors whose data are missing, or older than the descriptor.
  public var missing: [String] { get throws { try found.filter { try !$0.isFetched }.map(\.path) } }
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
