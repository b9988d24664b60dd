import Diagnostics
import ModelDescriptions
import ModelFiles
import Torch
import Weights

/// One or several files with a model's tensors.
protocol WeightSource {
  /// The file or folder, for messages.
  var path: String { get }
  /// The names of all tensors there are.
  var tensorNames: [String] { get }
  /// A tensor in float32 on the CPU. The mapped bytes of the file are released, so that a model is not in memory twice.
  ///
  /// - Throws: `Failure` with `.badData` unless it is there with this shape and holds floating-point numbers.
  func tensor(_ name: String, shape: [Int]) throws -> Tensor
}

extension SafetensorsFile: WeightSource {
  var tensorNames: [String] { entries.map(\.name) }
}

extension GGUFFile: WeightSource {
  var tensorNames: [String] { tensors.map(\.name) }

  func tensor(_ name: String, shape: [Int]) throws -> Tensor {
    guard let tensor = self[name] else {
      let hint = nearest(to: name, in: tensorNames).map { "; there is \"\($0)\"" } ?? ""
      throw Failure(.badData, "holds no tensor \"\(name)\"\(hint)", at: path)
    }
    guard tensor.shape == shape else {
      throw Failure(.badData, "has shape \(tensor.shape), expected \(shape)", at: tensor.place)
    }
    defer { tensor.release() }
    return Tensor(tensor)
  }
}

/// Weights in several safetensors files, with an index from tensors to files.
struct ShardedWeights: WeightSource {
  let path: String
  let tensorNames: [String]
  private let files: [String: SafetensorsFile]
  /// By the bytes of a tensor's name: Swift's strings are equal where only the composition of a letter differs.
  private let fileOfTensor: [[UInt8]: String]

  /// Opens all files.
  ///
  /// - Throws: `Failure` with `.badData` where index and files name different tensors.
  init(_ folder: HuggingFaceFolder, _ index: [(tensor: String, file: String)]) throws {
    path = folder.indexPath
    files = try Dictionary(
      uniqueKeysWithValues: folder.weights.map { ($0, try SafetensorsFile("\(folder.path)/\($0)")) })
    fileOfTensor = Dictionary(uniqueKeysWithValues: index.map { (Array($0.tensor.utf8), $0.file) })
    tensorNames = index.map(\.tensor)
    for name in folder.weights {
      let unknown = files[name]!.tensorNames.filter { fileOfTensor[Array($0.utf8)] != name }
      guard unknown.isEmpty else {
        throw Failure(
          .badData, "holds tensors that the index does not place in it: \(listed(unknown))", at: files[name]!.path)
      }
    }
  }

  func tensor(_ name: String, shape: [Int]) throws -> Tensor {
    guard let file = fileOfTensor[Array(name.utf8)] else {
      let hint = nearest(to: name, in: tensorNames).map { "; there is \"\($0)\"" } ?? ""
      throw Failure(.badData, "names no tensor \"\(name)\"\(hint)", at: path)
    }
    return try files[file]!.tensor(name, shape: shape)
  }
}

extension WeightSource {
  /// Refuses a number of layers that exceeds the number of tensors, before a list of the layers is built.
  func check(_ configuration: ModelConfiguration) throws {
    guard configuration.layers <= tensorNames.count else {
      throw Failure(
        .badData, "holds \(tensorNames.count) tensors, too few for \(configuration.layers) layers", at: path)
    }
  }
}

/// A few of several names, for messages.
func listed(_ names: [String]) -> String {
  names.prefix(8).joined(separator: ", ") + (names.count > 8 ? " and \(names.count - 8) more" : "")
}

extension Failure {
  static func unexpectedTensors(_ names: [String], at path: String) -> Failure {
    Failure(.badData, "holds tensors that the model does not have: \(listed(names))", at: path)
  }
}
