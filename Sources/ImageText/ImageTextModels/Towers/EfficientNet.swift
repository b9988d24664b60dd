import Diagnostics
import Torch
import Weights

/// EfficientNet-Lite (Tan and Le 2019, without squeeze-and-excitation, with ReLU6): pictures to the average of the last
/// feature map. Frozen; each batch norm is multiplied into the convolution before it.
package struct EfficientNet: Sendable {
  /// An inverted bottleneck: channels are widened, filtered one by one, and narrowed.
  package struct Block: Sendable {
    package let expand: Convolution?
    package let filter: Convolution
    package let narrow: Convolution
    package let isResidual: Bool

    func callAsFunction(_ x: Tensor) -> Tensor {
      let wide = expand.map { $0(x).clamped(0, 6) } ?? x
      let narrowed = narrow(filter(wide).clamped(0, 6))
      return isResidual ? narrowed + x : narrowed
    }
  }

  let configuration: EfficientNetConfiguration
  package let stem: Convolution
  package let blocks: [Block]
  package let head: Convolution

  /// - Throws: `Failure(.badData)` unless the file holds exactly the tensors that the configuration calls for, under the
  ///   names of the PyTorch package efficientnet_lite_pytorch.
  init(_ configuration: EfficientNetConfiguration, _ file: SafetensorsFile, device: Device) throws {
    var reader = ConvolutionReader(file, epsilon: configuration.normEpsilon, device: device)
    stem = try reader.convolution(
      "_conv_stem", norm: "_bn0", inputs: 3, outputs: configuration.stem, kernel: 3, stride: 2)
    var blocks: [Block] = []
    var inputs = configuration.stem
    for stage in configuration.stages {
      for index in 0..<stage.blocks {
        let stride = index == 0 ? stage.stride : 1
        blocks.append(try Self.block("_blocks.\(blocks.count)", stage, stride: stride, inputs: inputs, &reader))
        inputs = stage.channels
      }
    }
    head = try reader.convolution("_conv_head", norm: "_bn1", inputs: inputs, outputs: configuration.width, kernel: 1)
    try reader.finish()
    self.blocks = blocks
    self.configuration = configuration
  }

  private static func block(
    _ name: String, _ stage: EfficientNetConfiguration.Stage, stride: Int, inputs: Int,
    _ reader: inout ConvolutionReader
  ) throws -> Block {
    let inner = inputs * stage.expansion
    return Block(
      expand: stage.expansion == 1
        ? nil
        : try reader.convolution(
          "\(name)._expand_conv", norm: "\(name)._bn0", inputs: inputs, outputs: inner, kernel: 1),
      filter: try reader.convolution(
        "\(name)._depthwise_conv", norm: "\(name)._bn1", inputs: inner, outputs: inner, kernel: stage.kernel,
        stride: stride, groups: inner),
      narrow: try reader.convolution(
        "\(name)._project_conv", norm: "\(name)._bn2", inputs: inner, outputs: stage.channels, kernel: 1),
      isResidual: stride == 1 && inputs == stage.channels)
  }

  /// Features [B, width] of pictures [B, 3, S, S] in the range that the configuration states.
  func callAsFunction(_ pictures: Tensor) -> Tensor {
    let first = stem(pictures).clamped(0, 6)
    return head(blocks.reduce(first) { $1($0) }).clamped(0, 6).mean(2, 3)
  }
}

/// Reads convolutions with the batch norms behind them.
private struct ConvolutionReader {
  private let file: SafetensorsFile
  private let epsilon: Double
  private let device: Device
  private var read: Set<String> = []

  init(_ file: SafetensorsFile, epsilon: Double, device: Device) {
    (self.file, self.epsilon, self.device) = (file, epsilon, device)
  }

  /// y = γ · (w ∗ x - μ) / √(σ² + ε) + β as one convolution: weight w · s and bias β - μ · s with s = γ / √(σ² + ε).
  mutating func convolution(
    _ name: String, norm: String, inputs: Int, outputs: Int, kernel: Int, stride: Int = 1, groups: Int = 1
  ) throws -> Convolution {
    let weight = try tensor("\(name).weight", [outputs, inputs / groups, kernel, kernel])
    func normTensor(_ part: String) throws -> Tensor { try tensor("\(norm).\(part)", [outputs]) }
    let scale = try normTensor("weight") / (try normTensor("running_var") + epsilon).sqrt()
    let bias = try normTensor("bias") - normTensor("running_mean") * scale
    return Convolution(
      weight: (weight * scale.reshaped([outputs, 1, 1, 1])).to(device), bias: bias.to(device), stride: stride,
      groups: groups, padding: .same)
  }

  private mutating func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
    read.insert(name)
    return try file.tensor(name, shape: shape)
  }

  /// Refuses tensors that nothing asked for.
  func finish() throws {
    guard let unknown = file.entries.map(\.name).first(where: { !read.contains($0) }) else { return }
    throw Failure(.badData, "holds a tensor \"\(unknown)\", which the network does not have", at: file.path)
  }
}
