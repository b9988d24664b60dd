import Torch

/// Where the tokens of one pass stand, and what they may look at.
struct AttentionScope {
  enum Positions {
    /// One after the other from this one on.
    case from(Int)
    /// Several may follow the same one.
    case trees(TokenTrees)
  }

  /// What a token looks at besides itself.
  private enum Reach {
    /// Of the tokens before it in its window those whose end lies after it, int64 [B, T]; nil: all.
    case window(ends: Tensor?)
    /// The tokens of a cache, and those before it as far as this is true, [1, 1, T, all tokens]; nil: all.
    case cache(mask: Tensor?)
  }

  let positions: Positions
  private let reach: Reach
  let cache: KeyValueCache?

  /// Windows that stand for themselves, of one document each or, with `documentStarts`, int64 [B, T] that never fall, of
  /// several: for each token the index in its window where its document begins.
  init(documentStarts: Tensor?) {
    // A token is seen by those after it whose document begins no later than it.
    let ends = documentStarts.map { starts in
      starts.countsUpTo(Tensor.arange(starts.size(1), device: starts.device).expanded(starts.shape))
    }
    (positions, reach, cache) = (.from(0), .window(ends: ends), nil)
  }

  init(_ trees: TokenTrees) {
    (positions, reach, cache) = (.trees(trees), .window(ends: trees.ends), nil)
  }

  /// T tokens after those of a cache.
  init(_ length: Int, after cache: KeyValueCache, device: Device) {
    let first = cache.length
    positions = .from(first)
    self.cache = cache
    if first == 0 {
      reach = .window(ends: nil)
    } else if length == 1 {
      reach = .cache(mask: nil)
    } else {
      let positions = Tensor.arange(length, device: device) + Double(first)
      let all = Tensor.arange(first + length, device: device).to(positions.dtype)
      reach = .cache(mask: all.greater(positions.unsqueezed(1)).not().unsqueezed(0).unsqueezed(0))
    }
  }

  /// What the queries of T tokens, [B, H, T, d], take from keys and values, [B, G, all tokens, d], of H/G heads each.
  func attention(_ queries: Tensor, _ keys: Tensor, _ values: Tensor) -> Tensor {
    switch reach {
    case .window(let ends): queries.causalAttention(to: keys, values, ends: ends)
    case .cache(let mask): .attention(queries, keys, values, mask: mask, grouped: keys.size(1) < queries.size(1))
    }
  }

  /// One more than the greatest position of T tokens.
  func extent(of length: Int) -> Int {
    switch positions {
    case .from(let first): first + length
    case .trees(let trees): trees.depth
    }
  }

  /// The entries of a table [extent or more, ...] that belong to T tokens: [T, ...] or, with trees, [B, T, ...].
  func entries(of table: Tensor, for length: Int) -> Tensor {
    switch positions {
    case .from(let first): table[first..<first + length]
    case .trees(let trees):
      table.selected(0, indices: trees.positions.reshaped([-1]))
        .reshaped(trees.positions.shape + table.shape.dropFirst())
    }
  }
}
