/// A tensor with the name it has in weight files.
public struct NamedTensor: Sendable {
  public let name: String
  public let tensor: Tensor
  public init(_ name: String, _ tensor: Tensor) {
    self.name = name
    self.tensor = tensor
  }
}

/// A layer or network with parameters. Their names are part of the file format, so that each layer fixes them itself.
public protocol Module {
  /// Every parameter once, in a fixed order.
  var parameters: [NamedTensor] { get }
}

extension Module {
  /// The parameters with `prefix.` before each name.
  public func parameters(under prefix: String) -> [NamedTensor] {
    parameters.map { NamedTensor("\(prefix).\($0.name)", $0.tensor) }
  }

  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.tensor.count } }

  public func requireGradients(_ required: Bool = true) {
    for parameter in parameters { parameter.tensor.requiringGradient(required) }
  }
}
