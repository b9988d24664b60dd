import LanguageModels
import TokenWindows
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
      let batch = try ShiftedWindowBatch(split, indices.map { windows[$0] }, endOfText: endOfText)
      let counted = CountedWindows(batch, device: model.device)
      try model.forEachPiece(of: model.hiddenStates(of: counted)) { hidden, logits, rows in
        try body(Piece(hidden: hidden, logits: logits, labels: counted.labels[rows]))
      }
    }
  }
}
