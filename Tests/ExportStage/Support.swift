import Artifacts
import Foundation
import TempNet
import Testing
import Torch

/// Publishes a TempNet for 37 logits, or hidden states of 12, as a fit would.
func fittedTempNet(
  _ input: TempNetSettings.Input, _ output: String, vocabulary: Int = 37
) throws -> TemperatureNetwork {
  Machine.seed(11)
  let network = TemperatureNetwork(
    TempNetSettings(
      vocabulary: vocabulary, hidden: 8, tauMin: 0.2, tauMax: 3, rho: 1.5, input: input,
      width: input == .hidden ? 12 : nil))
  // Weights far from the initial ones, so that a mistake anywhere shows.
  for parameter in network.parameters { parameter.tensor.add(.normal(parameter.tensor.shape)) }
  let identity = StageIdentity(
    program: "tempnet-fit", stage: "fit", stageVersion: 1, kind: .tempnet, configuration: [:], inputs: [],
    resolution: [:])
  let builder = try ArtifactBuilder(output: output, identity: identity)
  try network.save(builder.path(for: "tempnet.safetensors"))
  _ = try builder.publish(summary: ["validation": ["best_single_temperature": 0.875]])
  return network
}

/// What a program prints; it has to succeed.
func output(of program: String, _ arguments: [String]) throws -> String {
  let process = Process()
  process.executableURL = URL(filePath: program)
  process.arguments = arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  try process.run()
  let data = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  #expect(process.terminationStatus == 0)
  return String(decoding: data, as: UTF8.self)
}
