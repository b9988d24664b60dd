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

  /// How many logits are worked on at once.
  private static let logitsPerPiece = 1 << 22

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
      let hidden = model.hidden(batch.inputs, documentStarts: batch.documentStarts)
      let scored = hidden.reshaped([-1, hidden.size(-1)]).selected(0, indices: batch.rows)
      let size = max(1, Self.logitsPerPiece / model.configuration.vocabulary)
      for start in stride(from: 0, to: scored.size(0), by: size) {
        let rows = start..<min(start + size, scored.size(0))
        let hidden = scored[rows]
        try body(
          Piece(hidden: hidden, logits: model.logits(hidden).to(.float32), labels: batch.labels[rows]))
      }
    }
  }
}
