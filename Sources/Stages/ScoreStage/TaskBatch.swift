import LanguageEvaluation
import LanguageModels
import Torch

/// Rows of sequences in the form that the model reads, and the places of the wanted predictions.
struct TaskBatch {
  /// One token to be predicted.
  struct Prediction {
    /// Which of `nodes` predicts it.
    let node: Int
    let target: Int32
  }

  private let rows: [ScoringPlan.Row]
  private let length: Int
  /// Places in the flattened batch whose logits are wanted, ascending, each once.
  let nodes: [Int]
  /// For each sequence of the batch its predictions in order.
  let sequences: [(sequence: Int, predictions: [Prediction])]

  init(_ rows: [ScoringPlan.Row], of sequences: [ScoredSequence]) {
    let length = rows.lazy.map(\.tree.tokens.count).max() ?? 0
    var places: [(sequence: Int, nodes: [Int])] = []
    for (index, row) in rows.enumerated() {
      for member in row.members {
        let path = row.tree.paths[member.path].suffix(sequences[member.sequence].targets.count)
        places.append((member.sequence, path.map { index * length + $0 }))
      }
    }
    nodes = Set(places.flatMap(\.nodes)).sorted()
    let numbers = Dictionary(uniqueKeysWithValues: zip(nodes, nodes.indices))
    self.sequences = places.map { place in
      let targets = sequences[place.sequence].targets
      return (place.sequence, zip(place.nodes, targets).map { Prediction(node: numbers[$0]!, target: $1) })
    }
    self.rows = rows
    self.length = length
  }

  /// How many tokens the model reads, without padding.
  var tokens: Int { rows.reduce(0) { $0 + $1.tree.tokens.count } }

  /// The hidden states of `nodes`, [N, width].
  ///
  /// - Parameter endOfText: the id that closes documents.
  func hiddenStates(_ model: LanguageModel, endOfText: Int32) -> Tensor {
    let padded = rows.flatMap { row in
      row.tree.tokens.map(Int64.init) + [Int64](repeating: 0, count: length - row.tree.tokens.count)
    }
    let inputs = Tensor(padded, shape: [rows.count, length]).to(model.device)
    let hidden =
      rows.allSatisfy { $0.tree.paths.count == 1 }
      ? model.hiddenStates(inputs, documentStarts: documentStarts(endOfText).to(model.device))
      : model.hiddenStates(inputs, trees: trees(model, endOfText: endOfText))
    return hidden.reshaped([-1, hidden.size(-1)]).selected(0, indices: Tensor(nodes).to(model.device))
  }

  private func trees(_ model: LanguageModel, endOfText: Int32) -> TokenTrees {
    let layouts = rows.map { row in
      model.configuration.attention == .document
        ? row.tree.documentLayout(beginning: endOfText) : (row.tree.positions, row.tree.ends)
    }
    return TokenTrees(
      positions: layouts.map(\.0), ends: layouts.map(\.1), length: length, device: model.device)
  }

  /// As in training a document begins after the id that closes the one before.
  private func documentStarts(_ endOfText: Int32) -> Tensor {
    let starts = rows.flatMap { row in
      let isPrefixed = row.tree.tokens.first == endOfText
      return (0..<length).map { isPrefixed && $0 > 0 ? 1 : 0 }
    }
    return Tensor(starts, shape: [rows.count, length])
  }
}
