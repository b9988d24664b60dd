import Diagnostics
import Files
import Torch

/// The tensors of a file that `torch.save` wrote, read without executing anything.
///
/// Takes the archive form, PyTorch's since version 1.6. Tensors lie in the outermost mapping, or in its member
/// `state_dict` (checkpoints of training programs), perhaps under names that begin with `module.`
/// (`DistributedDataParallel`).
public struct PyTorchFile {
  public let path: String
  /// On the CPU, in the types of the file, in its order.
  public let tensors: [(name: String, tensor: Tensor)]

  /// A pickle is a small part of a file; this is far more than any has.
  private static let longestPickle = 1 << 26

  /// - Throws: `Failure` with `.missingInput`, `.inputOutput`, or `.badData` for anything but such a file, with what it
  ///   is where that is known.
  public init(_ path: String) throws {
    self.path = path
    try Self.checkForm(path)
    let (folder, pickle) = try Self.pickle(path)
    var reader = PickleReader(pickle, path: path)
    let whole = try reader.read()
    let found = try Self.stateDict(whole, reader.values, path)
    let sizes = Dictionary(
      found.map { ($0.tensor.storage.key, $0.tensor.storage.count * $0.tensor.storage.type.size) },
      uniquingKeysWith: max)
    let storages = try Self.storages(sizes, folder, path)
    tensors = try found.map { name, tensor in
      guard let bytes = storages[tensor.storage.key] else {
        throw Failure(.badData, "lacks the numbers of \"\(name)\"", at: path)
      }
      return (name, try Self.tensor(tensor, bytes, at: "\(path), \"\(name)\""))
    }
  }

  private static func checkForm(_ path: String) throws {
    let start = try FileReader(path).read(upTo: 4)
    guard start != [0x50, 0x4B, 0x03, 0x04] else { return }
    let isOld = start.starts(with: [0x80, 0x02])
    throw Failure(
      .badData,
      isOld
        ? "is in the form before PyTorch 1.6, which is not read; load and save it again with torch.load and torch.save"
        : "is no file that torch.save wrote", at: path)
  }

  /// The pickle and the folder that it lies in.
  private static func pickle(_ path: String) throws -> (folder: String, [UInt8]) {
    let archive = try ArchiveReader(path)
    var found: (String, [UInt8])?
    while let entry = try archive.next() {
      let name = entry.entryName
      if name.hasSuffix("/constants.pkl") {
        throw Failure(
          .badData,
          "is a TorchScript program, not a state dict; save torch.jit.load(...).state_dict() with torch.save, or as "
            + "safetensors", at: path)
      }
      if name.hasSuffix("/byteorder"), try String(decoding: entry.bytes(limit: 64), as: UTF8.self) != "little" {
        throw Failure(.badData, "has numbers in another order of bytes than this machine's", at: path)
      }
      guard name.hasSuffix("/data.pkl"), found == nil else { continue }
      found = (String(name.dropLast("data.pkl".count)), try entry.bytes(limit: longestPickle))
    }
    guard let found else { throw Failure(.badData, "holds no data.pkl, so torch.save did not write it", at: path) }
    return found
  }

  private static func stateDict(
    _ whole: PickleValue.Place, _ values: [PickleValue], _ path: String
  ) throws -> [(name: String, tensor: PickledTensor)] {
    var members = try mapping(whole, values, path)
    if let inner = members.first(where: { $0.name == "state_dict" }) {
      members = try mapping(inner.value, values, path)
    }
    let all: [(name: String, tensor: PickledTensor)] = members.compactMap { name, place in
      if case .tensor(let tensor) = values[place] { (name, tensor) } else { nil }
    }
    let prefix = "module."
    let isWrapped = !all.isEmpty && all.allSatisfy { $0.name.hasPrefix(prefix) }
    let named = isWrapped ? all.map { (name: String($0.name.dropFirst(prefix.count)), tensor: $0.tensor) } : all
    guard !named.isEmpty else { throw Failure(.badData, "holds no tensors by name", at: path) }
    guard Set(named.map { Array($0.name.utf8) }).count == named.count else {
      throw Failure(.badData, "holds two tensors of one name", at: path)
    }
    return named
  }

  private static func mapping(
    _ place: PickleValue.Place, _ values: [PickleValue], _ path: String
  ) throws -> [(name: String, value: PickleValue.Place)] {
    guard case .mapping(let members) = values[place] else {
      throw Failure(.badData, "holds no state dict: save the model's state_dict(), not the model", at: path)
    }
    return members.compactMap { key, value in if case .text(let name) = values[key] { (name, value) } else { nil } }
  }

  private static func storages(
    _ sizes: [String: Int], _ folder: String, _ path: String
  ) throws -> [String: [UInt8]] {
    let archive = try ArchiveReader(path)
    let data = "\(folder)data/"
    var storages: [String: [UInt8]] = [:]
    while let entry = try archive.next() {
      guard entry.entryName.hasPrefix(data) else { continue }
      let key = String(entry.entryName.dropFirst(data.count))
      if let size = sizes[key] { storages[key] = try entry.bytes(limit: size) }
    }
    return storages
  }

  private static func tensor(_ view: PickledTensor, _ bytes: [UInt8], at place: String) throws -> Tensor {
    let (storage, size) = (view.storage, view.storage.type.size)
    guard bytes.count == storage.count * size, let dtype = storage.type.dtype else {
      throw Failure(.badData, "has \(bytes.count) bytes for \(storage.count) numbers of \(size)", at: place)
    }
    let whole = bytes.withUnsafeBytes { Tensor(bytes: $0, dtype: dtype, shape: [storage.count]) }
    return whole.view(view.shape, strides: view.strides, offset: view.offset).contiguous()
  }
}

extension ArchiveEntry {
  /// - Throws: `Failure(.badData)` where the entry has more than `limit` bytes.
  fileprivate func bytes(limit: Int) throws -> [UInt8] {
    guard let bytes = try whole(limit: limit) else {
      throw Failure(.badData, "has more than the \(limit) bytes that are due", at: name)
    }
    return bytes
  }
}
