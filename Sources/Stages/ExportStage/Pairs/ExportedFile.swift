import Artifacts
import Diagnostics
import Files
import JSON
import Torch
import Weights

/// A file of an export, written when its place is known: in the artifact's folder, or on its way into an archive.
struct ExportedFile {
  let name: String
  let write: (_ path: String) throws -> Void

  static func text(_ name: String, _ text: String) -> ExportedFile { .bytes(name, Array(text.utf8)) }

  static func bytes(_ name: String, _ bytes: [UInt8]) -> ExportedFile {
    ExportedFile(name: name) { try AtomicFile.write(bytes, to: $0) }
  }

  static func json(_ name: String, _ json: JSON) -> ExportedFile { .text(name, json.pretty) }

  static func copy(_ name: String, of source: String) -> ExportedFile {
    ExportedFile(name: name) { try AtomicFile.write(Files.read(source), to: $0) }
  }

  static func tensors(_ name: String, _ tensors: [NamedTensor], metadata: [String: String]) -> ExportedFile {
    ExportedFile(name: name) { path in
      try SafetensorsWriter.write(
        tensors.map { (name: $0.name, tensor: $0.tensor) }, metadata: metadata, to: path)
    }
  }

  static func onnx(_ name: String, metadata: [(String, String)], _ graph: @escaping () -> OnnxGraph) -> ExportedFile {
    ExportedFile(name: name) { path in
      let model = withoutGradients {
        graph().model(
          name: Files.name(of: name), producer: "tempnet", version: Release.version, metadata: metadata)
      }
      // The format's own limit.
      guard model.count <= Int(Int32.max) else {
        throw Failure(.badData, "would have \(model.count) bytes; an ONNX file holds 2 GiB at most", at: name)
      }
      try AtomicFile.write(model, to: path)
    }
  }
}
