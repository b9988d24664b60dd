import Torch

/// The positions of the tokens of one pass, and the tokens that each of them sees.
struct AttentionScope {
  enum Positions {
    /// Consecutive, from this position on.
    case from(Int)
    /// Several tokens may follow the same one.
    case trees(TokenTrees)
  }

  /// The tokens that a token sees besides itself.
  private enum Reach {
    /// The tokens before it in its window whose end, int64 [B, T], lies after it; nil: all before it.
    case window(ends: Tensor?)
    /// The tokens of a cache and those before it where the mask, bool [1, 1, T, all tokens], is true; nil: all.
    case cache(mask: Tensor?)
  }

  let positions: Positions
  private let reach: Reach
  let cache: KeyValueCache?

  /// Independent windows.
  ///
  /// - Parameter documentStarts: for each token the index in its window at which its document begins, int64 [B, T], not
  ///   decreasing; nil for windows of one document each.
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

  /// Attention of the queries of T tokens, [B, H, T, d], to keys and values [B, G, all tokens, d], each shared by H/G heads:
  /// [B, H, T, d].
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

  /// The rows of a table [extent or more, ...] at the positions of T tokens: [T, ...] or, with trees, [B, T, ...].
  func entries(of table: Tensor, for length: Int) -> Tensor {
    switch positions {
    case .from(let first): table[first..<first + length]
    case .trees(let trees):
      table.selected(0, indices: trees.positions.reshaped([-1]))
        .reshaped(trees.positions.shape + table.shape.dropFirst())
    }
  }
}
