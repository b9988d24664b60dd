import Configuration

/// The device, threads and precision of a stage, as its configuration states them. Every stage that uses tensors has
/// these settings.
///
/// They enter the key as they are written. An `auto` stays `auto`; its value on a machine is recorded separately, as
/// the resolution.
public struct ComputeOptions: Equatable, Sendable {
  public enum Device: String, CaseIterable, Sendable {
    case auto, cpu, cuda
  }
  /// The precision of the large products.
  public enum ComputeType: String, CaseIterable, Sendable {
    case auto, float32, bfloat16
  }

  public var device: Device
  public var computeType: ComputeType
  /// Nil for one per processor.
  public var threads: Int?

  public init(device: Device, computeType: ComputeType, threads: Int?) {
    (self.device, self.computeType, self.threads) = (device, computeType, threads)
  }
}

extension ConfigurationReader {
  public mutating func computeOptions() throws -> ComputeOptions {
    ComputeOptions(
      device: try choice("device", default: .auto, help: "where to compute"),
      computeType: try choice(
        "compute", default: .auto,
        help:
          "precision of the large products; auto: bfloat16 on GPUs and processors with AMX or AVX512_BF16, else float32"
      ),
      threads: try threads())
  }
}
