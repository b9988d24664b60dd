import Diagnostics
import Files
import TestSupport
import Testing
import Torch

@testable import Weights

/// Files that `torch.save` wrote; see `Fixtures/make_pytorch.py`.
@Suite struct PyTorchFileTests {
  private static let whole = (0..<24).map { Float($0) / 8 }

  private func refusal(_ name: String) -> Failure? {
    do {
      _ = try PyTorchFile(fixture(name))
      return nil
    } catch {
      return error as? Failure
    }
  }

  @Test(arguments: ["state.pt", "checkpoint.pt"])
  func `numbers are those that were saved`(name: String) throws {
    let file = try PyTorchFile(fixture(name))
    let tensors = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.tensor) })
    #expect(
      file.tensors.map(\.name)
        == ["weight", "transposed", "part", "half", "brain", "wide", "ids", "parameter", "none"])
    #expect(tensors["weight"]?.floats == Self.whole && tensors["weight"]?.shape == [4, 6])
    let transposed: [Float] = (0..<24).map { (place: Int) -> Float in Self.whole[place % 4 * 6 + place / 4] }
    #expect(tensors["transposed"]?.floats == transposed)
    let part: [Float] = [6, 8, 10, 12, 14, 16].map { (place: Int) -> Float in Self.whole[place] }
    #expect(tensors["part"]?.floats == part)
    #expect(tensors["half"]?.dtype == .float16 && tensors["half"]?.to(.float32).floats == [1.5, -2, 65504])
    #expect(tensors["brain"]?.dtype == .bfloat16 && tensors["brain"]?.to(.float32).floats == [1.5, -3])
    #expect(tensors["wide"]?.shape == [] && tensors["wide"]?.item == 3.25)
    #expect(tensors["ids"]?.integers == [-1, 1 << 40])
    #expect(tensors["parameter"]?.floats == [7] && tensors["none"]?.shape == [0, 5])
  }

  @Test(
    arguments: [
      ("before-1.6.pt", "before PyTorch 1.6"), ("module.pt", "save the model's state_dict()"),
      ("program.pt", "TorchScript"), ("mixed.safetensors", "no file that torch.save wrote"),
    ])
  func `another file is refused with what it is`(name: String, said: String) throws {
    let found = try #require(refusal(name))
    #expect(found.status == .badData && found.message.contains(said), "\(found)")
  }

  /// A pickle that asks for `os.system` gets nothing run: the name stays a name, and the value is unknown.
  @Test func `a pickle can call nothing`() throws {
    let folder = try TemporaryFolder()
    let pickle = Array("cos\nsystem\n(S".utf8.dropLast()) + [0x8C, 4] + Array("true".utf8) + Array("tR.".utf8)
    var reader = PickleReader(pickle, path: folder.path)
    let place = try reader.read()
    guard case .unknown = reader.values[place] else { return #expect(Bool(false), "\(reader.values[place])") }
  }

  /// A few bytes of an archive can unpack to many instructions.
  @Test(arguments: [Array("(".utf8), Array("N2".utf8), [0x4E, 0x94], Array("N".utf8)])
  func `a pickle that asks for memory without end is refused`(instructions: [UInt8]) {
    let pickle = Array(repeating: instructions, count: 5 << 20).flatMap { $0 }
    var reader = PickleReader(pickle, path: "weights.pt")
    let failure = #expect(throws: Failure.self) { try reader.read() }
    #expect(failure?.status == .badData && failure?.message.contains("values") == true)
  }

  @Test func `a storage of more numbers than there are is refused`() {
    func long(_ number: Int) -> [UInt8] { [0x8A, 8] + (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    func word(_ text: String) -> [UInt8] { [0x8C, UInt8(text.utf8.count)] + Array(text.utf8) }
    let id = word("storage") + Array("ctorch\nFloatStorage\n".utf8) + word("0") + word("cpu")
    var reader = PickleReader(Array("(".utf8) + id + long(.max) + Array("tQ.".utf8), path: "weights.pt")
    let failure = #expect(throws: Failure.self) { try reader.read() }
    #expect(failure?.status == .badData)
  }

  @Test func `a tensor that leaves its storage is none`() {
    let storage = PickledStorage(key: "0", type: .float32, count: 12)
    #expect(PickledTensor(storage, offset: 0, shape: [3, 4], strides: [4, 1]) != nil)
    #expect(PickledTensor(storage, offset: 1, shape: [3, 4], strides: [4, 1]) == nil)
    #expect(PickledTensor(storage, offset: 0, shape: [1 << 30, 1 << 30], strides: [0, 0]) == nil)
    #expect(PickledTensor(storage, offset: 0, shape: [2, 2], strides: [1 << 40, 1 << 40]) == nil)
    #expect(PickledTensor(storage, offset: -1, shape: [1], strides: [1]) == nil)
  }

  @Test func `a file that is cut short is refused`() throws {
    try truncations(of: Files.read(fixture("state.pt")), as: "state.pt") { path in
      _ = try PyTorchFile(path)
      return false
    }
  }
}
