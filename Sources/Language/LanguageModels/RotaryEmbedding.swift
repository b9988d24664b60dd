import Glibc
import ModelDescriptions
import Torch

/// Rotary positions (Su et al. 2021) in GPT-NeoX's layout: element i of the rotated part turns together with element
/// i + half by the angle position · base^(-i / half), or what a scaling makes of it.
final class RotaryEmbedding {
  /// For positions up to a length: [length, 1, half], so that they broadcast over heads.
  private struct Tables {
    let length: Int
    let cosines: Tensor
    let sines: Tensor
  }

  private let configuration: ModelConfiguration
  private let device: Device
  private let dtype: DType
  private let half: Int
  /// Computed for the longest windows so far: contexts are often far longer.
  private var tables: Tables?

  init(_ configuration: ModelConfiguration, device: Device, dtype: DType) {
    self.configuration = configuration
    self.device = device
    self.dtype = dtype
    half = configuration.rotaryWidth / 2
  }

  /// Rotates heads [B, T, heads, head width] by their positions in the scope.
  func callAsFunction(_ x: Tensor, in scope: AttentionScope) -> Tensor {
    let length = x.size(1)
    let tables = tables(for: scope.extent(of: length))
    let cosines = scope.entries(of: tables.cosines, for: length)
    let sines = scope.entries(of: tables.sines, for: length)
    if x.isCPUFloat32 { return x.rotated(cosines: cosines, sines: sines) }
    return Self.rotated(x, cosines: cosines, sines: sines)
  }

  /// `Tensor.rotated` in plain tensor code.
  static func rotated(_ x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor {
    let half = cosines.size(-1)
    let rest = x.size(-1) - 2 * half
    let parts = x.split(rest > 0 ? [half, half, rest] : [half, half], dimension: -1)
    let rotated = [
      (parts[0] * cosines).addingProduct(parts[1], sines, scale: -1),
      (parts[1] * cosines).addingProduct(parts[0], sines),
    ]
    return .concatenate(rotated + parts.dropFirst(2), dimension: -1)
  }

  private func tables(for length: Int) -> Tables {
    let scaling = configuration.rotaryScaling
    let isSpecial = scaling.dependsOnLength(length)
    if let tables,
      isSpecial || scaling.dependsOnLength(tables.length) ? tables.length == length : tables.length >= length
    {
      return tables
    }
    // Twice the length, so that growing windows rarely need new tables.
    let room = isSpecial ? length : min(configuration.context, max(length, 2 * (tables?.length ?? 0)))
    let made = makeTables(scaling.dependsOnLength(room) ? length : room)
    tables = made
    return made
  }

  /// In float64: in float32 the product of position and frequency loses digits at high positions.
  private func makeTables(_ length: Int) -> Tables {
    let frequencies = configuration.rotaryScaling.frequencies(
      base: configuration.rotaryBase, half: half, length: length)
    let angles = (0..<length).flatMap { position in frequencies.map { Double(position) * $0 } }
    let shape = [length, 1, half]
    return Tables(
      length: length, cosines: Tensor(angles.map { cos($0) }, shape: shape).to(dtype).to(device),
      sines: Tensor(angles.map { sin($0) }, shape: shape).to(dtype).to(device))
  }
}
