import EncoderDescriptions
import ImageTextModels
import Torch

extension OnnxGraph {
  /// Attention and feed-forward, each added to what it reads.
  ///
  /// - Parameters:
  ///   - x: [rows, T, width].
  ///   - mask: added to the scores: 0 where a position is seen, -∞ or far below 0 where not; of a shape that extends to
  ///     [rows, heads, T, T].
  mutating func transformed(_ x: Value, by block: EncoderBlock, mask: Value? = nil) -> Value {
    switch block.order {
    case .first:
      let read = normalised(x, block.attentionNorm)
      let y = apply("Add", x, attended(read, by: block, mask))
      let again = normalised(y, block.feedForwardNorm)
      return apply("Add", y, fedForward(again, by: block))
    case .last:
      let y = normalised(apply("Add", x, attended(x, by: block, mask)), block.attentionNorm)
      return normalised(apply("Add", y, fedForward(y, by: block)), block.feedForwardNorm)
    }
  }

  private mutating func attended(_ x: Value, by block: EncoderBlock, _ mask: Value?) -> Value {
    let width = block.output.weight.size(0)
    let headWidth = width / block.heads
    let all = permuted(
      reshaped(projected(x, block.queryKeyValue), [0, 0, 3, block.heads, headWidth]), [2, 0, 3, 1, 4])
    let queries = apply("Mul", selected(all, axis: 0, at: 0), constant(1 / Double(headWidth).squareRoot()))
    var scores = apply("MatMul", queries, permuted(selected(all, axis: 0, at: 1), [0, 1, 3, 2]))
    if let mask { scores = apply("Add", scores, mask) }
    let weights = apply("Softmax", scores, attributes: [("axis", .integer(-1))])
    let values = apply("MatMul", weights, selected(all, axis: 0, at: 2))
    return projected(reshaped(permuted(values, [0, 2, 1, 3]), [0, 0, width]), block.output)
  }

  private mutating func fedForward(_ x: Value, by block: EncoderBlock) -> Value {
    let inner = projected(x, block.up)
    let active =
      switch block.activation {
      case .gelu: gelu(inner)
      case .quickGelu: apply("Mul", inner, apply("Sigmoid", apply("Mul", inner, constant(1.702))))
      }
    return projected(active, block.down)
  }
}
