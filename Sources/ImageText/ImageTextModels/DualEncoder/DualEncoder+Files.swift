import Artifacts
import Diagnostics
import EncoderDescriptions
import Files
import JSON
import Torch
import Weights

extension DualEncoder {
  public static let weightsFile = "model.safetensors"
  public static let configurationFile = "model.json"
  /// The vocabulary of captions, in the form `towers`.
  public static let tokenizerFile = "tokenizer.json"

  /// Reads a `dual-encoder` artifact.
  ///
  /// - Throws: `Failure(.badData)` where a file, a tensor or its shape is not as it should be, or a tensor is there that
  ///   the form does not have.
  public static func read(_ artifact: Artifact, device: Device = .cpu) throws -> DualEncoder {
    let path = try artifact.file(configurationFile)
    let (configuration, origin) = try DualEncoderConfiguration.read(
      JSON(parsing: Files.read(path), source: path, for: .strict), source: path)
    let file = try SafetensorsFile(artifact.file(weightsFile))
    let encoder = DualEncoder(
      configuration, try Encoders(configuration, file, device), logitScale: try readLogitScale(file),
      scaleOrigin: origin, captionTokenizer: try readTokenizer(artifact, configuration), device: device)
    try encoder.check(file)
    return encoder
  }

  /// Writes all files; equal encoders give equal bytes.
  public func save(_ builder: ArtifactBuilder) throws {
    try AtomicFile.write(
      configuration.json(scaleFrom: scaleOrigin).pretty, to: builder.path(for: Self.configurationFile))
    try SafetensorsWriter.write(
      parameters.map { (name: $0.name, tensor: $0.tensor) }, to: builder.path(for: Self.weightsFile))
    if let captionTokenizer {
      try AtomicFile.write(captionTokenizer.fileText, to: builder.path(for: Self.tokenizerFile))
    }
  }

  private static func readTokenizer(
    _ artifact: Artifact, _ configuration: DualEncoderConfiguration
  ) throws -> CaptionTokenizer? {
    guard case .towers(let towers) = configuration else { return nil }
    let path = try artifact.file(tokenizerFile)
    let tokenizer = try CaptionTokenizer(path: path, context: towers.text.context)
    guard tokenizer.vocabularySize == towers.text.vocabulary else {
      throw Failure(
        .badData, "has \(tokenizer.vocabularySize) tokens, but the model has \(towers.text.vocabulary)", at: path)
    }
    return tokenizer
  }

  private static func readLogitScale(_ file: SafetensorsFile) throws -> Tensor {
    let entry = try file.entry(logitScaleName, type: .float32, shape: [])
    let tensor = try Tensor(entry)
    // exp of it has to be a number that similarities can be multiplied with.
    guard abs(tensor.item) < 80 else { throw Failure(.badData, "is \(tensor.item)", at: entry.place) }
    return tensor
  }

  private func check(_ file: SafetensorsFile) throws {
    for parameter in parameters where parameter.tensor.allFinite().item == 0 {
      throw Failure(.badData, "holds numbers that are not finite", at: "\(file.path), \"\(parameter.name)\"")
    }
    let names = Set(parameters.map(\.name))
    guard let unknown = file.entries.map(\.name).first(where: { !names.contains($0) }) else { return }
    throw Failure(.badData, "holds a tensor \"\(unknown)\", which the encoder does not have", at: file.path)
  }
}

extension DualEncoder.Encoders {
  fileprivate init(_ configuration: DualEncoderConfiguration, _ file: SafetensorsFile, _ device: Device) throws {
    switch configuration {
    case .heads(let heads):
      func head(_ name: String, _ tower: TowerRecord) throws -> ProjectionHead {
        try ProjectionHead(
          file, name, tower.width, hidden: heads.hidden, heads.embed, dropout: heads.dropout
        ).mapped { $0.to(device) }
      }
      self = .heads(image: try head("image_head", heads.image), text: try head("text_head", heads.text))
    case .towers(let towers):
      guard towers.vision.layers + towers.text.layers <= file.entries.count else {
        throw Failure(
          .badData,
          "holds \(file.entries.count) tensors, too few for \(towers.vision.layers + towers.text.layers) layers",
          at: file.path)
      }
      let tensors = try towers.parameters.map { parameter in
        NamedTensor(
          parameter.name, try Tensor(file.entry(parameter.name, type: .float32, shape: parameter.shape)))
      }
      self.init(towers, TowerTensors(tensors), device: device)
    }
  }
}
