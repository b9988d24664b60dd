import Diagnostics
import Dispatch
import Files

/// One tensor of a GGUF file. Its bytes are read when they are used.
public struct GGUFTensor: Sendable {
  public let name: String
  public let type: GGUFTensorType
  /// Outermost first (the file has the innermost first).
  public let shape: [Int]
  let file: MappedFile
  let bytes: Range<Int>

  /// How many numbers it holds.
  public var count: Int { shape.reduce(1, *) }
  /// File and tensor, for messages.
  public var place: String { "\(file.path), \"\(name)\"" }

  /// How many numbers a thread converts at a time: some milliseconds of work, and whole blocks of every type.
  private static let numbersPerPart = 1 << 20

  /// Writes the numbers as 32-bit floats, row by row, on all processors.
  ///
  /// - Parameter output: has room for `count` numbers.
  public func dequantise(to output: UnsafeMutableBufferPointer<Float>) {
    precondition(output.count == count, "\(output.count) numbers of room for \(count)")
    guard let target = output.baseAddress else { return }
    let work = Work(input: file.bytes.baseAddress! + bytes.lowerBound, output: target)
    let parts = (count + Self.numbersPerPart - 1) / Self.numbersPerPart
    DispatchQueue.concurrentPerform(iterations: parts) { part in
      let first = part * Self.numbersPerPart
      let numbers = min(Self.numbersPerPart, count - first)
      Dequantisation.blocks(
        type, work.input + first / type.blockCount * type.blockSize, count: numbers / type.blockCount,
        to: work.output + first)
    }
  }

  /// Releases the memory of the tensor's mapped bytes; they are read again when they are used.
  public func release() { file.release(bytes) }

  /// The numbers as 32-bit floats.
  public var floats: [Float] {
    [Float](unsafeUninitializedCapacity: count) { buffer, initialised in
      dequantise(to: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      initialised = count
    }
  }

  /// The output that threads share: each writes its own part.
  private struct Work: @unchecked Sendable {
    let input: UnsafeRawPointer
    let output: UnsafeMutablePointer<Float>
  }
}
