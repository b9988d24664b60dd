import Torch

/// Where the tokens of one pass stand, and what they may look at.
struct AttentionScope {
  enum Positions {
    /// One after the other from this one on.
    case from(Int)
    /// Several may follow the same one.
    case trees(TokenTrees)
  }

  let positions: Positions
  /// Where attention is allowed, [B, 1, T, all tokens]; nil means everything, or up to the token itself.
  let mask: Tensor?
  /// Whether a token looks no further than itself, where no mask says so.
  let isCausal: Bool
  let cache: KeyValueCache?

  /// Windows that stand for themselves.
  init(mask: Tensor?) {
    (positions, self.mask, isCausal, cache) = (.from(0), mask, mask == nil, nil)
  }

  init(_ trees: TokenTrees) {
    (positions, mask, isCausal, cache) = (.trees(trees), trees.allowedAttention, false, nil)
  }

  /// T tokens after those of a cache.
  init(_ length: Int, after cache: KeyValueCache, device: Device) {
    let first = cache.length
    positions = .from(first)
    self.cache = cache
    isCausal = first == 0
    if length == 1 || first == 0 {
      mask = nil
    } else {
      let positions = Tensor.arange(length, device: device) + Double(first)
      let all = Tensor.arange(first + length, device: device).to(positions.dtype)
      mask = all.greater(positions.unsqueezed(1)).not().unsqueezed(0).unsqueezed(0)
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
