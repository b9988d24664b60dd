import Torch

/// Keys and values of the tokens that a model has read, so that a further token costs one token and not the whole text.
public final class KeyValueCache {
  /// How many tokens have been read.
  public fileprivate(set) var length: Int
  /// How many tokens there is room for.
  public let capacity: Int
  /// For each block, [sequences, key-value heads, capacity, head width].
  private let layers: [(keys: Tensor, values: Tensor)]

  /// - Parameters:
  ///   - sequences: how many sequences are read side by side.
  ///   - capacity: at most the model's context.
  public init(_ model: LanguageModel, sequences: Int = 1, capacity: Int) {
    let configuration = model.configuration
    precondition((1...configuration.context).contains(capacity), "room for \(capacity) tokens")
    let shape = [sequences, configuration.keyValueHeads, capacity, configuration.headWidth]
    func empty() -> Tensor { .zeros(shape, dtype: model.precision.branches, device: model.device) }
    self.capacity = capacity
    length = 0
    layers = (0..<configuration.layers).map { _ in (empty(), empty()) }
  }

  private init(copying other: KeyValueCache) {
    (length, capacity) = (other.length, other.capacity)
    layers = other.layers.map { ($0.keys.cloned(), $0.values.cloned()) }
  }

  /// Another cache with the same tokens, to continue one prompt in several ways.
  public func copy() -> KeyValueCache { KeyValueCache(copying: self) }

  /// Adds the keys and values of T tokens, [sequences, key-value heads, T, head width], and returns all so far.
  func extend(_ layer: Int, keys: Tensor, values: Tensor) -> (keys: Tensor, values: Tensor) {
    let end = length + keys.size(2)
    let room = layers[layer]
    room.keys.narrowed(2, length..<end).copy(from: keys)
    room.values.narrowed(2, length..<end).copy(from: values)
    return (room.keys.narrowed(2, 0..<end), room.values.narrowed(2, 0..<end))
  }

  func advance(_ tokens: Int) { length += tokens }
}
