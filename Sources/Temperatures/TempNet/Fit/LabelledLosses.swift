import Torch

/// Losses by which others train a temperature per token from labels, as functions of rows at their temperatures. With
/// `CE = -log softmax(z/τ)_y`, `p = softmax(z)` and a hit where the label is the likeliest token.
///
/// A batch's loss is the mean of what these give, so that gradients equal those of the published code on the same rows.
public enum LabelledLosses {
  /// The share of hits that AutoDeco leaves out of each step at random.
  public static let autoDecoDropped = 0.6

  /// AutoDeco's loss as its trainer for transformers has it: `p_y · CE` (arXiv 2510.26697; Zacks917/AutoDeco
  /// `model/templlm_auto.py`), the mean over the rows that are kept.
  ///
  /// - Parameters:
  ///   - crossEntropy: CE at the rows' temperatures, [N]; differentiable in them.
  ///   - own: CE at temperature 1, [N].
  ///   - kept: 1 for the rows that count, 0 for others, [N]; see ``keepingSomeHits(_:)``.
  public static func autoDeco(crossEntropy: Tensor, own: Tensor, kept: Tensor) -> Tensor {
    overKept((-own).exp().detached() * crossEntropy, kept)
  }

  /// AutoDeco's loss as its trainer for Megatron has it: `-q_y · log q_y` with `q = softmax(z/τ)`, whose factor is a
  /// constant (`autodeco_megatron/src/loss_utils.py`), the mean over the rows that are kept.
  public static func autoDecoByTempered(crossEntropy: Tensor, kept: Tensor) -> Tensor {
    overKept((-crossEntropy).exp().detached() * crossEntropy, kept)
  }

  /// The selective smoothing of adaptive temperature scaling (arXiv 2409.19817; Johnathan-Xie/adaptive-temperature-scaling
  /// `src/llmtuner/model/calibration/modeling.py`, uniform smoothing of 1 and a weight of 1/2): hits have CE, the others
  /// the cross-entropy against the uniform distribution. Each side's mean counts by the other side's share of the rows.
  ///
  /// - Parameters:
  ///   - uniform: `-mean_j log softmax(z/τ)_j`, [N]; differentiable in the temperatures.
  ///   - hit: 1 where the label is the likeliest token, 0 elsewhere, [N].
  public static func selectiveSmoothing(crossEntropy: Tensor, uniform: Tensor, hit: Tensor) -> Tensor {
    let hit = hit.to(crossEntropy.dtype)
    let missed = hit * -1 + 1
    // A side without rows has no mean, and its sum is 0.
    let (hits, misses) = (hit.sum(), missed.sum())
    let ofHits = hit * crossEntropy * (misses / hits.clamped(1, nil))
    let ofMisses = missed * uniform * (hits / misses.clamped(1, nil))
    return ofHits + ofMisses
  }

  /// 1 for all rows but a random ``autoDecoDropped`` of the hits, which are 0; [N]. Draws from the seeded generator.
  public static func keepingSomeHits(_ hit: Tensor) -> Tensor {
    let isDropped = Tensor.uniform(hit.shape, low: 0, high: 1).to(hit.device).less(autoDecoDropped)
    return isDropped.and(hit.greater(0)).not().to(.float64)
  }

  private static func overKept(_ losses: Tensor, _ kept: Tensor) -> Tensor {
    losses * kept.to(losses.dtype) * (kept.to(losses.dtype).mean().clamped(1e-12, nil).reciprocal())
  }
}
