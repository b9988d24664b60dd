import ModelDescriptions
import Torch

/// A decoder-only transformer: from tokens to the last hidden state, and from there to logits.
public final class LanguageModel: Module {
  public let configuration: ModelConfiguration
  /// In the order and with the names of `ModelConfiguration.parameters`.
  public let parameters: [NamedTensor]
  /// The unembedding W, [V, width]; the token embedding itself where the head is tied.
  public let headWeight: Tensor
  /// The unembedding as the logits' product takes it: of a frozen model in the arithmetic's type.
  public let headFactor: Tensor

  let precision: Precision
  private let embedding: Tensor
  private let positions: Tensor?
  private let rotary: RotaryEmbedding?
  private let blocks: [TransformerBlock]
  private let norm: Norm

  /// A model with fresh weights: the same for the same seed, on whatever device it will run.
  public convenience init(
    _ configuration: ModelConfiguration, seed: UInt64, device: Device = .cpu, arithmetic: DType = .float32
  ) {
    let parameters = Initialization.parameters(configuration, seed: seed)
    self.init(configuration, parameters: parameters, device: device, arithmetic: arithmetic)
  }

  /// A model over given tensors, which must be those that `configuration.parameters` lists, in that order.
  ///
  /// - Parameters:
  ///   - arithmetic: the precision of the large products.
  ///   - isFrozen: whether the parameters stay as they are, so that the head is converted once, and not in every product;
  ///     factors of blocks may then be given in the arithmetic's type.
  public init(
    _ configuration: ModelConfiguration, parameters: [NamedTensor], device: Device = .cpu,
    arithmetic: DType = .float32, isFrozen: Bool = false
  ) {
    let expected = configuration.parameters
    precondition(
      parameters.map(\.name) == expected.map(\.name) && parameters.map(\.tensor.shape) == expected.map(\.shape),
      "not the parameters that the configuration calls for")
    let parameters = parameters.map { NamedTensor($0.name, $0.tensor.to(device)) }
    let table = ParameterTable(parameters)
    let precision = Precision(arithmetic, on: device)
    self.configuration = configuration
    self.parameters = parameters
    self.precision = precision
    embedding = table["embedding.weight"]
    positions = table.ifPresent("positions.weight")
    rotary =
      configuration.positions == .rotary
      ? RotaryEmbedding(configuration, device: device, dtype: precision.branches) : nil
    blocks = (0..<configuration.layers).map { TransformerBlock($0, configuration, table, precision) }
    norm = Norm("norm", configuration, table)
    headWeight = table.ifPresent("head.weight") ?? embedding
    headFactor = isFrozen ? headWeight.to(arithmetic) : headWeight
  }

  public var device: Device { embedding.device }

  /// The hidden state after the last norm, [B, T, width], of tokens [B, T] (int64, T at most the context).
  ///
  /// - Parameters:
  ///   - documentStarts: for each token the index in its window where its document begins, [B, T] int64, never falling. Read
  ///     only where the configuration says `attention: document`, and there a window without them is one document.
  ///   - training: whether dropout acts.
  public func hidden(_ tokens: Tensor, documentStarts: Tensor? = nil, training: Bool = false) -> Tensor {
    let length = tokens.size(1)
    precondition(length <= configuration.context, "\(length) tokens exceed the context of \(configuration.context)")
    let dropout = training ? configuration.dropout : 0
    let starts = configuration.attention == .document ? documentStarts : nil
    var x = Tensor.embedding(embedding, tokens)
    if let positions { x = x + positionVectors(positions, length: length, documentStarts: starts) }
    return body(x.dropout(dropout), AttentionScope(documentStarts: starts), dropout)
  }

  /// The hidden state after the last norm, [sequences, T, width], of tokens [sequences, T] that follow those of a cache,
  /// which has them too afterwards. All belong to one document.
  public func hidden(_ tokens: Tensor, after cache: KeyValueCache) -> Tensor {
    let (first, length) = (cache.length, tokens.size(1))
    precondition(first + length <= cache.capacity, "\(first + length) tokens exceed the room for \(cache.capacity)")
    let hidden = hidden(tokens, AttentionScope(length, after: cache, device: device))
    cache.advance(length)
    return hidden
  }

  /// The hidden state after the last norm, [B, T, width], of tokens [B, T] of which several may continue the same one.
  /// T may exceed the context, which no position does.
  ///
  /// What a token sees is what `trees` says, whatever the configuration says of documents.
  public func hidden(_ tokens: Tensor, trees: TokenTrees) -> Tensor {
    precondition(trees.depth <= configuration.context, "\(trees.depth) tokens exceed \(configuration.context)")
    return hidden(tokens, AttentionScope(trees))
  }

  private func hidden(_ tokens: Tensor, _ scope: AttentionScope) -> Tensor {
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

  /// W·h for hidden states [..., width]: [..., V], in the precision of `hidden`.
  public func logits(_ hidden: Tensor) -> Tensor {
    precision.linear(hidden.to(precision.branches), headFactor).to(hidden.dtype)
  }

  private func positionVectors(_ table: Tensor, length: Int, documentStarts: Tensor?) -> Tensor {
    guard let documentStarts else { return table[0..<length] }
    return .embedding(table, Tensor.arange(length, device: device) - documentStarts)
  }
}
