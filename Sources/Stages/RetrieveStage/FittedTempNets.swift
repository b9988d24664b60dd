import Artifacts
import Diagnostics
import JSON
import RetrievalEvaluation
import StageDescriptions
import TempNet
import TemperatureSettings
import Weights

/// The TempNets among the inputs, by the embeddings whose temperatures they predict.
struct FittedTempNets {
  /// A TempNet of one side of one run.
  struct Member {
    /// `tempnet`, the second one `tempnet-2`.
    let name: String
    let run: Int
    let direction: RetrievalDirection
    /// Its temperatures are in units of similarity.
    let network: EmbeddingTemperatureNetwork
  }

  private let members: [Member]

  /// Reads TempNets that were fitted to embeddings, and those of dual encoders; an encoder without TempNets has none to
  /// give.
  ///
  /// - Throws: `.badData` for a TempNet of logits, of another width, or of none or several of the embeddings.
  init(_ artifacts: [Artifact], _ models: Models) throws {
    var members: [Member] = []
    for (index, artifact) in artifacts.enumerated() {
      guard artifact.contains(EmbeddingTempNetFile.name) else {
        if artifact.manifest.kind == ArtifactKind.dualEncoder.name { continue }
        throw Failure(.badData, "holds a TempNet of logits, not one of embeddings", at: artifact.path)
      }
      let run = try models.run(of: artifact)
      let path = try artifact.file(EmbeddingTempNetFile.name)
      for side in try Self.sides(in: path) {
        let network = try EmbeddingTempNetFile.read(path, side: side)
        guard network.settings.width == models.descriptions[run].image.width else {
          throw Failure(
            .badData,
            "reads embeddings of width \(network.settings.width), but they have "
              + "\(models.descriptions[run].image.width)", at: path)
        }
        members.append(
          Member(
            name: index == 0 ? "tempnet" : "tempnet-\(index + 1)", run: run,
            direction: side == .image ? .imageToText : .textToImage, network: network))
      }
    }
    self.members = members
  }

  /// The TempNets of a run.
  func of(run: Int) -> [Member] { members.filter { $0.run == run } }

  /// The runs that have any, ascending.
  var runs: [Int] { Set(members.map(\.run)).sorted() }

  private static func sides(in path: String) throws -> [EmbeddingSide] {
    let names = try SafetensorsFile(path).entries.map(\.name)
    return EmbeddingSide.allCases.filter { side in
      names.contains { $0.hasPrefix("\(EmbeddingTempNetFile.prefix(side)).") }
    }
  }
}

extension Models {
  /// The run that a TempNet belongs to: that of the dual encoder it was trained with; for a fitted one the run whose
  /// embeddings its summary names or, where it names none, the only one with its scale.
  fileprivate func run(of tempnet: Artifact) throws -> Int {
    func failure(_ message: String) -> Failure { Failure(.badData, message, at: tempnet.path) }
    let candidates: [Int]
    if tempnet.manifest.kind == ArtifactKind.dualEncoder.name {
      candidates = artifacts.indices.filter { descriptions[$0].model?.key == tempnet.key }
    } else if let key = tempnet.summary["embeddings"]?.stringValue {
      candidates = artifacts.indices.filter { artifacts[$0].key == key }
    } else if let scale = tempnet.summary["scale"]?.doubleValue {
      candidates = artifacts.indices.filter { descriptions[$0].space.scale?.value == scale }
    } else {
      throw failure("does not say which embeddings it was fitted to")
    }
    guard let run = candidates.first else { throw failure("was fitted to none of the embeddings given") }
    guard candidates.count == 1 else {
      throw failure(
        "may belong to \(artifacts[run].path) or to \(artifacts[candidates[1]].path): give only the one it was fitted to"
      )
    }
    return run
  }
}
