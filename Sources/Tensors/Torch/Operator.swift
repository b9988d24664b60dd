import CTorch
import Diagnostics
import Glibc

/// A failure inside libtorch: the operator, its arguments, and libtorch's message.
public struct TorchError: Error, Equatable, CustomStringConvertible {
  public let operation: String
  /// The arguments, tensors as type and shape: `float32[8, 3], 2`.
  public let arguments: String
  public let message: String
  /// Whether the processor's or the GPU's memory ran out.
  public let isOutOfMemory: Bool

  public var description: String { "\(operation)(\(arguments)): \(message)" }
}

extension TorchError {
  /// How a program ends that cannot go on without the operation: with `.unavailable` where memory ran out, which its user can
  /// change, and with `.internal` for a mistake in this software.
  public var failure: Failure {
    guard isOutOfMemory else { return Failure(.internal, "libtorch: \(self)") }
    let amount = Self.requested(message).map { "\(fixed(($0 / 0x1p20).rounded(.up), digits: 0)) MiB" }
    return Failure(
      .unavailable,
      "memory ran out: \(operation) asked for \(amount ?? "more than there is"). What needs less is, in a stage's "
        + "configuration, a smaller batch, batch_tokens, micro_batch, loss_chunk, window or context")
  }

  /// The requested bytes, from messages such as "you tried to allocate 8000 bytes. Error code" and "Tried to allocate 2.50 GiB.
  /// GPU 0"; nil for other messages.
  private static func requested(_ message: String) -> Double? {
    let units: [String: Double] = ["bytes": 1, "KiB": 0x1p10, "MiB": 0x1p20, "GiB": 0x1p30]
    guard let phrase = message.firstRange(of: "ried to allocate ") else { return nil }
    let words = message[phrase.upperBound...].split(separator: " ", maxSplits: 2)
    guard words.count > 1, let amount = Double(words[0]) else { return nil }
    return units[String(words[1].prefix { $0.isLetter })].map { $0 * amount }
  }
}

/// One argument of an operator.
public enum Argument {
  case none
  case tensor(Tensor)
  case tensors([Tensor])
  case optionalTensors([Tensor?])
  case integer(Int)
  case integers([Int])
  case number(Double)
  case flag(Bool)
  case text(String)
  case dtype(DType)
  case device(Device)
}

/// Calls libtorch's operators by their names in its dispatcher. The rest of this module is built on it.
public enum Operator {
  /// Calls `name.overload` with positional and named arguments; missing ones take the schema's defaults.
  ///
  /// - Returns: the tensors among the results, in order.
  /// - Throws: `TorchError` with libtorch's words, for instance when shapes do not fit.
  @discardableResult
  public static func call(
    _ name: StaticString, _ overload: StaticString = "", _ arguments: [Argument],
    named: KeyValuePairs<StaticString, Argument> = [:]
  ) throws(TorchError) -> [Tensor] {
    TorchRuntime.prepare()
    let frame = Frame(arguments: arguments, named: named)
    var results = Array(repeating: ctorch_value(), count: resultRoom(arguments))
    var count = 0
    let status = frame.values.withUnsafeBufferPointer { values in
      results.withUnsafeMutableBufferPointer { results in
        ctorch_call(
          pointer(name), pointer(overload), values.baseAddress, values.count, results.baseAddress, results.count, &count
        )
      }
    }
    // The values point into what the frame owns.
    extendLifetime(frame)
    guard status == 0 else { throw failure("\(name)", arguments + named.map { $0.value }, status) }
    return results.prefix(count).compactMap { $0.kind == CTORCH_TENSOR ? $0.tensor.map(Tensor.init(owning:)) : nil }
  }

  /// Operators on lists of tensors return as many tensors; others return a few.
  private static func resultRoom(_ arguments: [Argument]) -> Int {
    arguments.reduce(32) { room, argument in
      if case .tensors(let tensors) = argument { room + tensors.count } else { room }
    }
  }

  /// As `call`, for uses that are right by construction. A failure is a mistake in this software, or memory has run out:
  /// neither leaves a tensor to go on with, so that it is reported to `UnrecoverableFailure`, by which the program ends.
  @discardableResult
  static func must(
    _ name: StaticString, _ overload: StaticString = "", _ arguments: [Argument],
    named: KeyValuePairs<StaticString, Argument> = [:]
  ) -> [Tensor] {
    do {
      return try call(name, overload, arguments, named: named)
    } catch {
      UnrecoverableFailure.end(error.failure)
    }
  }

  static func one(
    _ name: StaticString, _ overload: StaticString = "", _ arguments: [Argument],
    named: KeyValuePairs<StaticString, Argument> = [:]
  ) -> Tensor {
    must(name, overload, arguments, named: named)[0]
  }

  /// Runs a function of the C boundary other than an operator call.
  static func check(_ operation: StaticString, _ arguments: [Argument] = [], _ body: () -> Int32) {
    let status = body()
    if status != 0 { UnrecoverableFailure.end(failure("\(operation)", arguments, status).failure) }
  }

  /// The error of the last call on this thread, which returned `status`.
  static func failure(_ operation: String, _ arguments: [Argument], _ status: Int32) -> TorchError {
    TorchError(
      operation: operation, arguments: arguments.map(\.description).joined(separator: ", "),
      message: String(cString: ctorch_last_error()), isOutOfMemory: status == CTORCH_OUT_OF_MEMORY)
  }

  private static func pointer(_ string: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(string.utf8Start).assumingMemoryBound(to: CChar.self)
  }

  /// Arguments as C values, with the memory that they point to.
  private final class Frame {
    private(set) var values: [ctorch_value] = []
    private var allocations: [UnsafeMutableRawPointer] = []
    private let kept: [Argument]

    init(arguments: [Argument], named: KeyValuePairs<StaticString, Argument>) {
      kept = arguments + named.map { $0.value }
      values.reserveCapacity(kept.count)
      for argument in arguments { values.append(value(argument)) }
      for (name, argument) in named {
        var value = value(argument)
        value.name = Operator.pointer(name)
        values.append(value)
      }
    }

    deinit { for allocation in allocations { free(allocation) } }

    private func value(_ argument: Argument) -> ctorch_value {
      var value = ctorch_value()
      switch argument {
      case .none: value.kind = CTORCH_NONE
      case .tensor(let tensor):
        value.kind = CTORCH_TENSOR
        value.tensor = tensor.reference
      case .tensors(let tensors):
        value.kind = CTORCH_TENSOR_LIST
        setList(&value, tensors.map { Optional($0.reference) })
      case .optionalTensors(let tensors):
        value.kind = CTORCH_OPTIONAL_TENSOR_LIST
        setList(&value, tensors.map { $0?.reference })
      case .integer(let integer):
        value.kind = CTORCH_INT
        value.integer = Int64(integer)
      case .integers(let integers):
        value.kind = CTORCH_INT_LIST
        setList(&value, integers.map(Int64.init))
      case .number(let number):
        value.kind = CTORCH_DOUBLE
        value.number = number
      case .flag(let flag):
        value.kind = CTORCH_BOOL
        value.boolean = flag
      case .text(let text):
        value.kind = CTORCH_STRING
        value.string = copied(text)
      case .dtype(let dtype):
        value.kind = CTORCH_INT
        value.integer = Int64(dtype.rawValue)
      case .device(let device):
        value.kind = CTORCH_DEVICE
        value.string = copied(device.description)
      }
      return value
    }

    private func setList<Item>(_ value: inout ctorch_value, _ items: [Item]) {
      let size = max(1, items.count * MemoryLayout<Item>.stride)
      let memory = malloc(size)!
      allocations.append(memory)
      items.withUnsafeBytes { if !$0.isEmpty { memcpy(memory, $0.baseAddress!, $0.count) } }
      value.list.items = UnsafeRawPointer(memory)
      value.list.count = items.count
    }

    private func copied(_ text: String) -> UnsafePointer<CChar> {
      let memory = strdup(text)!
      allocations.append(memory)
      return UnsafePointer(memory)
    }
  }
}

extension Argument: CustomStringConvertible {
  public var description: String {
    switch self {
    case .none: "none"
    case .tensor(let tensor): tensor.summary
    case .tensors(let tensors):
      "[\(tensors.prefix(4).map(\.summary).joined(separator: ", "))\(tensors.count > 4 ? ", …" : "")]"
    case .optionalTensors(let tensors): "[\(tensors.map { $0?.summary ?? "none" }.joined(separator: ", "))]"
    case .integer(let integer): "\(integer)"
    case .integers(let integers): "\(integers)"
    case .number(let number): "\(number)"
    case .flag(let flag): "\(flag)"
    case .text(let text): "\"\(text)\""
    case .dtype(let dtype): "\(dtype)"
    case .device(let device): "\(device)"
    }
  }
}
