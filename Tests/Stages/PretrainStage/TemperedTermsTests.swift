import Testing
import Torch

@testable import PretrainStage

@Suite struct TemperedTermsTests {
  private func largest(_ a: Tensor, _ b: Tensor) -> Double {
    (a.to(.float64) - b).abs().reshaped([-1]).maximum(0).item
  }

  /// Widths around those of vectors and tiles; rows that are flat, far apart, far from zero, or in part impossible.
  @Test(arguments: [1, 2, 7, 16, 31, 511, 512, 513, 1_030])
  func `the fused operator gives what plain tensor code gives in float64`(width: Int) {
    // Numbers that look random and depend on nothing.
    let noise = (Tensor.arange(12 * width).to(.float64) * 12.9898).sin().reshaped([12, width])
    let rows = [
      noise[0..<4] * 6 + 20, noise[4..<6] * 1e4, .zeros([2, width], dtype: .float64), noise[6..<8] * 1e-3 - 1e4,
      noise[8..<12] * 300,
    ]
    let logits = Tensor.concatenate(rows).to(.float32)
    if width > 2 { logits.put(Tensor([-Float.infinity]), at: [Tensor([3]), Tensor([1])]) }
    let count = logits.size(0)
    let labels = Tensor((0..<count).map { $0 * 5 % width == 1 ? 0 : $0 * 5 % width })
    let tau = (Tensor.arange(count).to(.float64).cos() * 1.4 + 1.5).to(.float32)
    let found = TemperedTerms(logits, labels: labels, tau: tau)
    let expected = TemperedTerms(reference: logits.to(.float64), labels: labels, tau: tau.to(.float64))
    #expect(found.probabilities.shape == [count, width] && found.probabilities.dtype == .float32)
    #expect(largest(found.probabilities, expected.probabilities) < 2e-6)
    #expect(largest(found.labelProbability, expected.labelProbability) < 4e-6)
    let scale = max(1, expected.crossEntropy.abs().maximum(0).item)
    #expect(largest(found.crossEntropy, expected.crossEntropy) < 1e-6 * scale)
    // Plain code makes 0 · -∞ of an impossible token, which takes no part.
    let without = width > 2 ? logits[3..<4].clamped(-1e4, nil).to(.float64) : logits[3..<4].to(.float64)
    let entropy = TemperedTerms(reference: without, labels: labels[3..<4], tau: tau[3..<4].to(.float64)).entropy
    #expect(largest(found.entropy, expected.entropy.replacingNaN(by: entropy.item)) < 1e-5)
  }

  @Test func `what makes no softmax gives NaN, and labels that are no logits are refused`() throws {
    for (logits, tau) in [([1, .nan, 0], 1), ([1, .infinity, 0], 1), ([1, 2, 0], 0), ([1, 2, 0], .nan)]
      as [([Float], Float)]
    {
      let terms = TemperedTerms(Tensor(logits, shape: [1, 3]), labels: Tensor([0]), tau: Tensor([tau]))
      #expect(terms.crossEntropy.item.isNaN && terms.entropy.item.isNaN && terms.probabilities[0][2].item.isNaN)
    }
    for label in [-1, 3] {
      #expect(throws: TorchError.self) {
        _ = try Operator.call(
          "tempnet::tempered_terms", "", [.tensor(.ones([1, 3])), .tensor(Tensor([label])), .tensor(.ones([1]))])
      }
    }
    let none = TemperedTerms(.zeros([0, 3]), labels: Tensor([Int64]()), tau: .ones([0]))
    #expect(none.probabilities.shape == [0, 3])
  }
}
