import Diagnostics
import Files
import Torch
import Weights

/// Everything that a run needs to continue as if it had never stopped, in one folder:
///
///     parameters.safetensors    the trained parameters, and the task's buffers
///     optimiser.safetensors     AdamW's moments and step counts
///     state.json                the step, the best validation, running means, lengths of the logs
enum Checkpoint {
  private static let parametersName = "parameters.safetensors"
  private static let optimiserName = "optimiser.safetensors"
  private static let stateName = "state.json"

  static func write(
    to folder: String, state: TrainingState, lengths: TrainingLog.Lengths, parameters: [NamedTensor],
    optimiser: [NamedTensor]
  ) throws {
    try write(parameters, to: "\(folder)/\(parametersName)")
    try write(optimiser, to: "\(folder)/\(optimiserName)")
    try AtomicFile.write(state.json(lengths).pretty, to: statePath(folder))
  }

  static func statePath(_ folder: String) -> String { "\(folder)/\(stateName)" }

  static func readState(_ folder: String) throws -> [UInt8] { try Files.read(statePath(folder)) }

  static func readParameters(_ folder: String, into parameters: [NamedTensor]) throws {
    try read("\(folder)/\(parametersName)", into: parameters)
  }

  static func readOptimiser(_ folder: String, into state: [NamedTensor]) throws {
    try read("\(folder)/\(optimiserName)", into: state)
  }

  private static func write(_ tensors: [NamedTensor], to path: String) throws {
    try SafetensorsWriter.write(tensors.map { ($0.name, $0.tensor) }, to: path)
  }

  private static func read(_ path: String, into tensors: [NamedTensor]) throws {
    let file = try SafetensorsFile(path)
    for named in tensors {
      let entry = try file.entry(named.name, type: ElementType(named.tensor.dtype), shape: named.tensor.shape)
      named.tensor.copy(from: try Tensor(entry))
    }
  }
}
