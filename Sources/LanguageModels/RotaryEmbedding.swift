import Glibc
import Torch

/// Rotary positions (Su et al. 2021) in GPT-NeoX's layout: element i of the rotated part turns together with element
/// i + half by the angle position · base^(-i / half).
struct RotaryEmbedding {
  /// [context, 1, half], so that they broadcast over heads.
  private let cosines: Tensor
  private let sines: Tensor
  private let half: Int
  private let rest: Int

  init(_ configuration: ModelConfiguration, device: Device, dtype: DType) {
    half = configuration.rotaryWidth / 2
    rest = configuration.headWidth - configuration.rotaryWidth
    let angles = Self.angles(configuration)
    let shape = [configuration.context, 1, half]
    cosines = Tensor(angles.map { cos($0) }, shape: shape).to(dtype).to(device)
    sines = Tensor(angles.map { sin($0) }, shape: shape).to(dtype).to(device)
  }

  /// By position, then by element. In float64: in float32 the product loses digits at high positions.
  private static func angles(_ configuration: ModelConfiguration) -> [Double] {
    let half = configuration.rotaryWidth / 2
    let frequencies = (0..<half).map { pow(configuration.rotaryBase, -Double($0) / Double(half)) }
    return (0..<configuration.context).flatMap { position in frequencies.map { Double(position) * $0 } }
  }

  /// Turns heads x [B, T, heads, head width] that stand at positions first..<first + T.
  func callAsFunction(_ x: Tensor, from first: Int) -> Tensor {
    let range = first..<first + x.size(1)
    let (cosines, sines) = (cosines[range], sines[range])
    let parts = x.split(rest > 0 ? [half, half, rest] : [half, half], dimension: -1)
    let turned = [
      (parts[0] * cosines).addingProduct(parts[1], sines, scale: -1),
      (parts[1] * cosines).addingProduct(parts[0], sines),
    ]
    return .concatenate(turned + parts.dropFirst(2), dimension: -1)
  }
}
