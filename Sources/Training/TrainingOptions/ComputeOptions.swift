import Configuration

/// Where and how precisely a stage computes, as its configuration says it; every stage that uses tensors has these.
///
/// They belong to the key as they are written: an `auto` stays `auto`, and what it became on a machine is recorded apart
/// from it, as the resolution.
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
