import CTorch
import Diagnostics
import Glibc
import RandomNumbers

/// Where tensors live.
public enum Device: String, Sendable, CustomStringConvertible {
  case cpu, cuda
  public var description: String { rawValue }
}

/// libtorch in this process: preparation, threads, memory, random numbers, what the processor offers it.
public enum TorchRuntime {
  private static let prepared: Void = {
    Operator.check("initialize") { ctorch_initialize() }
    chooseProducts()
  }()

  /// The environment variable that has products of matrices computed by libtorch's own operators: `plain`; else `fastest`.
  ///
  /// For processors or releases of libtorch on which the faster functions fail (CTorch/private_torch.h).
  public static let productsVariable = "TEMPNET_PRODUCTS"

  private static func chooseProducts() {
    guard let name = getenv(productsVariable).map({ String(cString: $0) }) else { return }
    switch name {
    case "fastest": ctorch_force_products(ctorch_products_fastest)
    case "plain": ctorch_force_products(ctorch_products_plain)
    default:
      UnrecoverableFailure.end(
        Failure(.badConfiguration, "is '\(name)', expected fastest or plain", at: productsVariable))
    }
  }

  /// Prepares libtorch; called before every use of it.
  static func prepare() { _ = prepared }

  /// Seeds the generators that `Tensor.normal`, `dropout` and others draw from.
  public static func seed(_ seed: UInt64) {
    prepare()
    Operator.check("seed") { ctorch_seed(seed) }
  }

  /// Seeds the generators for one piece of work within a run. Its draws depend on `(seed, stream, index)` alone, not on earlier
  /// draws, so that a resumed run repeats an undisturbed one. The mixing is SplitMix64's (Steele et al. 2014).
  public static func seed(_ seed: UInt64, stream: UInt64, index: UInt64) {
    self.seed(SplitMix64.mixed(seed, stream, index))
  }

  /// Returns the memory of freed CPU tensors to the system, and resets `peakMemory` to the memory in use.
  public static func trimMemory() {
    prepare()
    ctorch_trim_memory()
  }

  /// The most bytes that CPU tensors of 1 MiB and more have held at one time.
  public static var peakMemory: Int { Int(ctorch_peak_memory()) }

  /// How many threads libtorch's kernels use. Results may differ in the last bits between counts.
  public static var threads: Int {
    get {
      prepare()
      return Int(ctorch_threads())
    }
    set {
      prepare()
      Operator.check("set_threads") { ctorch_set_threads(Int32(newValue)) }
    }
  }

  /// Whether a GPU can be used; loads libtorch's CUDA half on first use.
  public static var hasCUDA: Bool {
    prepare()
    return ctorch_load_cuda()
  }

  public static var torchVersion: String { String(cString: ctorch_version()) }
  /// libtorch and what it computes with on this processor, as in `libtorch 2.13.0 with AVX2`.
  public static var description: String { "libtorch \(torchVersion) with \(vectorInstructions)" }

  /// Whether this processor multiplies matrices of bfloat16 faster than those of float32.
  public static var hasFastBFloat16: Bool { productInstructions(.bfloat16) != nil }

  /// The instructions, such as `AMX`, of the backend that replaces libtorch's own products of matrices of a type; nil
  /// without one.
  static func productInstructions(_ computeType: DType) -> String? {
    prepare()
    let name = String(cString: ctorch_product_instructions(computeType == .bfloat16))
    return name.isEmpty ? nil : name
  }

  /// The widest vector instructions libtorch uses here, such as `AVX2`.
  public static var vectorInstructions: String {
    prepare()
    return String(cString: ctorch_cpu_capability())
  }
}
