import Torch
import TrainingOptions

extension Resolution {
  /// The values of the options on this machine.
  ///
  /// - Throws: `.unavailable` for a GPU on a machine without one.
  public init(_ options: ComputeOptions) throws {
    try self.init(
      device: Device(options.device), computeType: DType(options.computeType),
      threads: options.threads)
  }
}

extension Device {
  /// Nil for `auto`.
  fileprivate init?(_ device: ComputeOptions.Device) {
    switch device {
    case .auto: return nil
    case .cpu: self = .cpu
    case .cuda: self = .cuda
    }
  }
}

extension DType {
  /// Nil for `auto`.
  fileprivate init?(_ computeType: ComputeOptions.ComputeType) {
    switch computeType {
    case .auto: return nil
    case .float32: self = .float32
    case .bfloat16: self = .bfloat16
    }
  }
}
