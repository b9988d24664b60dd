import ModelDescriptions
import Torch

/// A decoder-only transformer: from tokens to the last hidden state, and from there to logits.
public final class LanguageModel: Module {
  public let configuration: ModelConfiguration
  /// In the order and with the names of `ModelConfiguration.parameters`.
  public let parameters: [NamedTensor]
  /// The unembedding W, [V, width]; the token embedding itself where the head is tied.
  public let headWeight: Tensor
  /// The unembedding as a factor of the logits: of a frozen model in the compute type.
  public let headFactor: Tensor

  let precision: Precision
  private let embedding: Tensor
  private let positions: Tensor?
  private let rotary: RotaryEmbedding?
  private let blocks: [TransformerBlock]
  private let norm: NormLayer

  /// A model with initial weights, which depend on the seed and not on the device.
  public convenience init(
    _ configuration: ModelConfiguration, seed: UInt64, device: Device = .cpu, computeType: DType = .float32
  ) {
    let parameters = InitialWeights.parameters(configuration, seed: seed)
    self.init(configuration, parameters: parameters, device: device, computeType: computeType)
  }

  /// A model over given tensors, which must be those that `configuration.parameters` lists, in that order.
  ///
  /// - Parameters:
  ///   - computeType: the type of the large products' factors.
  ///   - isFrozen: whether the parameters never change. Then the head is converted to the compute type once instead of in every
  ///     product, and factors of blocks may be given in that type.
  public init(
    _ configuration: ModelConfiguration, parameters: [NamedTensor], device: Device = .cpu,
    computeType: DType = .float32, isFrozen: Bool = false
  ) {
    let expected = configuration.parameters
    precondition(
      parameters.map(\.name) == expected.map(\.name) && parameters.map(\.tensor.shape) == expected.map(\.shape),
      "not the parameters that the configuration calls for")
    let parameters = parameters.map { NamedTensor($0.name, $0.tensor.to(device)) }
    let table = ParameterTable(parameters)
    let precision = Precision(computeType, on: device)
    self.configuration = configuration
    self.parameters = parameters
    self.precision = precision
    embedding = table["embedding.weight"]
    positions = table.ifPresent("positions.weight")
    rotary =
      configuration.positions == .rotary
      ? RotaryEmbedding(configuration, device: device, dtype: precision.branches) : nil
    blocks = (0..<configuration.layers).map { TransformerBlock($0, configuration, table, precision) }
    norm = NormLayer("norm", configuration, table)
    headWeight = table.ifPresent("head.weight") ?? embedding
    headFactor = isFrozen ? headWeight.to(computeType) : headWeight
  }

  public var device: Device { embedding.device }

  /// The hidden states after the last norm, [B, T, width], of tokens [B, T] (int64, T at most the context).
  ///
  /// - Parameters:
  ///   - documentStarts: for each token the index in its window at which its document begins, int64 [B, T], not decreasing; nil
  ///     for windows of one document each. Ignored unless the configuration says `attention: document`.
  ///   - training: whether dropout acts.
  public func hiddenStates(_ tokens: Tensor, documentStarts: Tensor? = nil, training: Bool = false) -> Tensor {
    let length = tokens.size(1)
    precondition(length <= configuration.context, "\(length) tokens exceed the context of \(configuration.context)")
    let dropout = training ? configuration.dropout : 0
    let starts = configuration.attention == .document ? documentStarts : nil
    var x = Tensor.embedding(embedding, tokens)
    if let positions { x = x + positionVectors(positions, length: length, documentStarts: starts) }
    return body(x.dropout(dropout), AttentionScope(documentStarts: starts), dropout)
  }

  /// The hidden states after the last norm, [sequences, T, width], of tokens [sequences, T] that follow those of a cache,
  /// and adds them to it. All belong to one document.
  public func hiddenStates(_ tokens: Tensor, after cache: KeyValueCache) -> Tensor {
    let (first, length) = (cache.length, tokens.size(1))
    precondition(first + length <= cache.capacity, "\(first + length) tokens exceed the room for \(cache.capacity)")
    let states = hiddenStates(tokens, AttentionScope(length, after: cache, device: device))
    cache.advance(length)
    return states
  }

  /// The hidden states after the last norm, [B, T, width], of tokens [B, T] of which several may continue the same one. T
  /// may exceed the context; positions may not.
  ///
  /// `trees` alone decides which tokens a token sees; the configuration's `attention` does not count.
  public func hiddenStates(_ tokens: Tensor, trees: TokenTrees) -> Tensor {
    precondition(trees.depth <= configuration.context, "\(trees.depth) tokens exceed \(configuration.context)")
    return hiddenStates(tokens, AttentionScope(trees))
  }

  private func hiddenStates(_ tokens: Tensor, _ scope: AttentionScope) -> Tensor {
    var x = Tensor.embedding(embedding, tokens)
    if let positions { x = x + scope.entries(of: positions, for: tokens.size(1)) }
    return body(x, scope, 0)
  }

  private func body(_ x: Tensor, _ scope: AttentionScope, _ dropout: Double) -> Tensor {
    norm(
      blocks.reduce(x) { x, block in
        block(x, rotary: rotary, scope: scope, dropout: dropout)
      })
  }

  /// W·h for hidden states [..., width]: [..., V], in the type of `hidden`.
  public func logits(_ hidden: Tensor) -> Tensor {
    precision.linear(hidden.to(precision.branches), headFactor).to(hidden.dtype)
  }

  private func positionVectors(_ table: Tensor, length: Int, documentStarts: Tensor?) -> Tensor {
    guard let documentStarts else { return table[0..<length] }
    return .embedding(table, Tensor.arange(length, device: device) - documentStarts)
  }
}
