import Diagnostics
import Dispatch
import Files

/// One tensor of a GGUF file; its bytes stay in the file until they are asked for.
public struct GGUFTensor: Sendable {
  public let name: String
  public let type: GGUFTensorType
  /// Outermost first, as everywhere else here (the file has it the other way round).
  public let shape: [Int]
  let file: MappedFile
  let bytes: Range<Int>

  /// How many numbers it holds.
  public var count: Int { shape.reduce(1, *) }
  /// File and tensor, for messages.
  public var place: String { "\(file.path), \"\(name)\"" }

  /// Numbers that a thread works on at a time: some milliseconds' worth, and whole blocks of every type.
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

  /// Lets the system take back the memory that the tensor's bytes were read into; they can be asked for again.
  public func release() { file.release(bytes) }

  /// The numbers as 32-bit floats.
  public var floats: [Float] {
    [Float](unsafeUninitializedCapacity: count) { buffer, initialised in
      dequantise(to: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      initialised = count
    }
  }

  /// What threads share: each writes another part.
  private struct Work: @unchecked Sendable {
    let input: UnsafeRawPointer
    let output: UnsafeMutablePointer<Float>
  }
}
