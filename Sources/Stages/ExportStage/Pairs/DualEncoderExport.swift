import Artifacts
import Diagnostics
import EncoderDescriptions
import Files
import ImageTextModels
import JSON
import StageDescriptions
import TempNet
import Torch
import Weights

/// The heads of a dual encoder on frozen towers, with its TempNets if it has any, in the forms that other tools read.
struct DualEncoderExport {
  static let weightsName = "heads.safetensors"
  static let configurationName = "config.json"

  private let artifact: Artifact
  private let encoder: DualEncoder

  /// - Throws: `Failure(.usage)` for an encoder without heads.
  init(_ artifact: Artifact) throws {
    self.artifact = artifact
    encoder = try DualEncoder.read(artifact)
    guard encoder.parameters.contains(where: { $0.name.hasPrefix("image_head.") }) else {
      throw Failure(
        .usage, "has no heads on frozen towers, which are what is exported of a dual encoder", at: artifact.path)
    }
  }

  /// - Parameter path: turns a file's name into the path to write it at.
  /// - Returns: the summary.
  func write(_ format: ExportConfiguration.Format, _ path: (String) throws -> String) throws -> JSON {
    let names: [String]
    switch format {
    case .safetensors: names = try writeFiles(path)
    case .onnx: names = try writeOnnx(path)
    case .huggingface:
      throw Failure(
        .usage,
        "heads on frozen towers have no form in transformers or open_clip, whose towers are CLIP's; take safetensors, with "
          + "a NumPy module, or onnx", at: artifact.path)
    case .gguf, .npz, .bundle:
      throw Failure(
        .usage, "a dual encoder has no form \(format.rawValue); take safetensors or onnx", at: artifact.path)
    }
    return [
      "format": .string(format.rawValue), "file": .string(names[0]), "files": .array(names.map(JSON.string)),
      "dual_encoder": .string(artifact.key),
    ]
  }

  /// The weights, their description, the TempNets, and the modules that apply them.
  private func writeFiles(_ path: (String) throws -> String) throws -> [String] {
    try SafetensorsWriter.write(
      encoder.parameters.map { (name: $0.name, tensor: $0.tensor) },
      metadata: ["producer": "tempnet \(Release.version)", "dual_encoder_key": artifact.key],
      to: path(Self.weightsName))
    try AtomicFile.write(
      encoder.configuration.json(scaleFrom: encoder.scaleOrigin).pretty, to: path(Self.configurationName))
    let modules = [("dual_encoder.py", PackageResources.dual_encoder_py), ("tempnet.py", PackageResources.tempnet_py)]
    for (name, content) in modules { try AtomicFile.write(content, to: path(name)) }
    var names = [Self.weightsName, Self.configurationName] + modules.map(\.0)
    if Files.exists("\(artifact.path)/\(EmbeddingTempNetFile.name)") {
      try AtomicFile.write(
        Files.read(artifact.file(EmbeddingTempNetFile.name)), to: path(EmbeddingTempNetFile.name))
      names.append(EmbeddingTempNetFile.name)
    }
    return names
  }

  /// One model for each side, from a tower's embeddings to unit rows.
  private func writeOnnx(_ path: (String) throws -> String) throws -> [String] {
    let heads = try HeadWeights(encoder)
    let models = [("image_head.onnx", heads.image, "image_embeds"), ("text_head.onnx", heads.text, "text_embeds")]
    for (name, head, output) in models { try AtomicFile.write(head.model(output), to: path(name)) }
    return models.map(\.0)
  }
}

/// The layers of both heads.
private struct HeadWeights {
  let image, text: Head

  struct Head {
    let inner, outer: Linear

    /// From a tower's embeddings [rows, inputs] to rows of unit length [rows, embed].
    func model(_ output: String) -> [UInt8] {
      var graph = OnnxGraph()
      let embedding = graph.input("embedding", columns: inner.weight.size(1))
      let rows = graph.linear(graph.gelu(graph.linear(embedding, inner, "0")), outer, "3")
      let norm = graph.apply("ReduceL2", rows, attributes: [("axes", .integers([-1])), ("keepdims", .integer(1))])
      graph.output(
        graph.apply("Div", rows, graph.apply("Max", norm, graph.constant(1e-12))), output, columns: outer.weight.size(0)
      )
      return graph.model(name: output, producer: "tempnet", version: Release.version, metadata: [])
    }
  }

  init(_ encoder: DualEncoder) throws {
    let tensors = Dictionary(uniqueKeysWithValues: encoder.parameters.map { ($0.name, $0.tensor) })
    func layer(_ name: String) throws -> Linear {
      guard let weight = tensors["\(name).weight"], let bias = tensors["\(name).bias"] else {
        throw Failure(.internal, "a head has no layer \(name)")
      }
      return Linear(weight: weight, bias: bias)
    }
    func head(_ name: String) throws -> Head { Head(inner: try layer("\(name).0"), outer: try layer("\(name).3")) }
    (image, text) = (try head("image_head"), try head("text_head"))
  }
}
