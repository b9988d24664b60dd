import Diagnostics
import Files
import ModelFiles
import Torch
import Weights

/// The tensors of a published model by their names, from safetensors files or from one that `torch.save` wrote.
struct StateDict {
  /// The file, or the first of several, for messages.
  let path: String
  /// In the order of the files.
  let names: [String]
  private let entries: [[UInt8]: Entry]

  private struct Entry {
    let shape: [Int]
    let load: () throws -> Tensor
  }

  /// - Throws: `Failure(.badData)` for files of another form and for a name that two of them have.
  init(_ paths: [String]) throws {
    path = paths[0]
    var names: [String] = []
    var entries: [[UInt8]: Entry] = [:]
    for path in paths {
      for (name, entry) in try Self.entries(path) {
        guard entries.updateValue(entry, forKey: Array(name.utf8)) == nil else {
          throw Failure(.badData, "holds \"\(name)\", which another file holds as well", at: path)
        }
        names.append(name)
      }
    }
    (self.names, self.entries) = (names, entries)
  }

  private static func entries(_ path: String) throws -> [(String, Entry)] {
    guard path.hasSuffix(".safetensors") else {
      return try PyTorchFile(path).tensors.map { name, tensor in (name, Entry(shape: tensor.shape) { tensor }) }
    }
    let file = try SafetensorsFile(path)
    return file.entries.map { entry in
      (entry.name, Entry(shape: entry.shape) { try file.tensor(entry.name, shape: entry.shape) })
    }
  }

  func shape(_ name: String) -> [Int]? { entries[Array(name.utf8)]?.shape }

  func has(_ name: String) -> Bool { shape(name) != nil }

  /// A tensor in float32.
  ///
  /// - Throws: `Failure(.badData)` unless it is there with this shape and holds finite floating-point numbers.
  func tensor(_ name: String, shape: [Int]) throws -> Tensor {
    guard let entry = entries[Array(name.utf8)] else {
      let hint = nearest(to: name, in: names).map { "; there is \"\($0)\"" } ?? ""
      throw Failure(.badData, "holds no tensor \"\(name)\"\(hint)", at: path)
    }
    let place = "\(path), \"\(name)\""
    guard entry.shape == shape else {
      throw Failure(.badData, "has shape \(entry.shape), but the configuration needs \(shape)", at: place)
    }
    let tensor = try entry.load()
    guard tensor.dtype.isFloatingPoint else {
      throw Failure(.badData, "holds whole numbers, expected floating-point ones", at: place)
    }
    let numbers = tensor.to(.float32)
    guard numbers.allFinite().item != 0 else {
      throw Failure(.badData, "holds numbers that are not finite", at: place)
    }
    return numbers
  }
}
