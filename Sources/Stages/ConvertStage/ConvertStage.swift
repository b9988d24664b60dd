import Artifacts
import Diagnostics
import EncoderDescriptions
import ImageTextModels
import JSON
import StageDescriptions

/// Makes a `dual-encoder` artifact of a CLIP that was trained elsewhere. What its files do not say and how it was taken
/// stands in the log and in the summary.
public enum ConvertStage {
  public static func run(_ request: StageRequest<Convert>) throws -> Artifact {
    let configuration = request.configuration
    return try request.make { builder in
      let model = try PublishedEncoder(
        configuration.files(), PublishedEncoder.Statements(activation: configuration.activation))
      for note in model.notes { Log.note(note) }
      let encoder = try model.encoder()
      try encoder.save(builder)
      let towers = model.configuration
      return [
        "form": .string(model.files.form.name),
        "parameters": .integer(encoder.parameters.reduce(0) { $0 + $1.tensor.count }),
        "picture_size": .integer(towers.vision.size), "embed": .integer(towers.embed),
        "image_activation": .string(towers.vision.block.activation.rawValue),
        "text_activation": .string(towers.text.block.activation.rawValue), "scale": .number(encoder.scale.value),
        "taken": .array(model.notes.map(JSON.string)),
      ]
    }
  }
}

extension PublishedEncoderFiles.Form {
  fileprivate var name: String {
    switch self {
    case .openClip: "open_clip"
    case .transformers: "transformers"
    case .bare: "state dict"
    }
  }
}
