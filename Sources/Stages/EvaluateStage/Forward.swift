import Diagnostics
import LanguageModels
import Tokenization
import Torch

/// Runs the frozen model over windows and hands out logits in pieces, so that memory does not grow with the vocabulary
/// times the batch.
struct Forward {
  let model: LanguageModel
  let split: TokenSplit
  let endOfText: Int32
  let windows: ScoringWindows
  let batchTokens: Int

  /// How many windows go through the model together.
  var windowsPerBatch: Int { max(1, batchTokens / windows.context) }

  /// Some tokens of the text: the hidden states [N, d] that predict them, the logits [N, V], float32, and the tokens [N].
  struct Piece {
    let hidden: Tensor
    let logits: Tensor
    let labels: Tensor
  }

  /// Calls `body` with each piece of a batch, in the order of the text.
  func run(_ indices: some Sequence<Int>, _ body: (Piece) throws -> Void) throws {
    try withoutGradients {
      let batch = try ScoringBatch(
        indices.map { windows[$0] }, of: split, endOfText: endOfText, device: model.device)
      let hidden = model.hiddenStates(batch.inputs, documentStarts: batch.documentStarts)
      let scored = hidden.reshaped([-1, hidden.size(-1)]).selected(0, indices: batch.rows)
      try model.forEachPiece(of: scored) { hidden, logits, rows in
        try body(Piece(hidden: hidden, logits: logits, labels: batch.labels[rows]))
      }
    }
  }
}

extension LanguageModel {
  /// How many logits are worked on at once.
  private static let logitsPerPiece = 1 << 22

  /// Calls `body` with hidden states [n, width] out of [N, width], some rows after the other, their logits [n, V],
  /// float32, and which rows they are.
  ///
  /// - Throws: `.badData` when hidden states are not finite; weights are, or the model would not have been loaded.
  func forEachPiece(
    of hidden: Tensor, _ body: (_ hidden: Tensor, _ logits: Tensor, _ rows: Range<Int>) throws -> Void
  ) throws {
    let size = max(1, Self.logitsPerPiece / configuration.vocabulary)
    for start in stride(from: 0, to: hidden.size(0), by: size) {
      let rows = start..<min(start + size, hidden.size(0))
      let piece = hidden[rows]
      guard piece.allFinite().item == 1 else {
        throw Failure(.badData, "the model's hidden states of the text to score are not all finite")
      }
      try body(piece, logits(piece).to(.float32), rows)
    }
  }
}
