import Diagnostics

/// The values of the `auto` options on this machine. Work is resumed only where they are the same.
public struct Resolution: Equatable, Sendable {
  public let device: Device
  /// The precision of the large products.
  public let computeType: DType
  public let threads: Int
  public let torchVersion: String
  /// The instructions that decide between kernels on the CPU: `AVX512`, or `AVX512, products with AMX`.
  public let vectorInstructions: String

  /// Replaces nil by the GPU if one can be used; by bfloat16 there and on a CPU that multiplies it faster, else by float32;
  /// by a thread for each processor that this process may use.
  ///
  /// - Throws: `Failure` with `.unavailable` for a GPU where there is none.
  public init(device: Device? = nil, computeType: DType? = nil, threads: Int? = nil) throws {
    if device == .cuda && !TorchRuntime.hasCUDA {
      throw Failure(
        .unavailable, "no GPU can be used: libtorch has no CUDA half here, or finds no device", at: "device: cuda")
    }
    self.device = device ?? (TorchRuntime.hasCUDA ? .cuda : .cpu)
    self.computeType = computeType ?? (self.device == .cuda || TorchRuntime.hasFastBFloat16 ? .bfloat16 : .float32)
    self.threads = threads ?? Diagnostics.Machine.cores
    torchVersion = TorchRuntime.torchVersion
    let ofProducts = self.device == .cpu ? TorchRuntime.productInstructions(self.computeType) : nil
    vectorInstructions = TorchRuntime.vectorInstructions + (ofProducts.map { ", products with \($0)" } ?? "")
  }

  /// Sets the number of threads; called before any work, because results may differ between numbers.
  public func apply() {
    TorchRuntime.threads = threads
    Log.note("computing on \(device) in \(computeType), \(threads) threads, libtorch \(torchVersion)")
  }

  /// The values that an artifact records, in this order.
  public var record: [(name: String, value: String)] {
    [
      ("device", device.description), ("arithmetic", computeType.description), ("threads", "\(threads)"),
      ("libtorch", torchVersion), ("vector_instructions", vectorInstructions),
    ]
  }
}
