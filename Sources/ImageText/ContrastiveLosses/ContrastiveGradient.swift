import Torch

/// A batch of pairs as a contrastive loss sees it: row i of both sides is a pair.
public struct ContrastiveBatch: Sendable {
  public let image: Side
  public let text: Side

  public struct Side: Sendable {
    /// Rows of unit length, [B, E].
    public let rows: Tensor
    /// Of each anchor, [B]; constants of the step.
    public let tau: Tensor
    /// Before the step, of a robust loss.
    public let averages: AnchorAverages?

    public init(_ rows: Tensor, tau: Tensor, averages: AnchorAverages? = nil) {
      precondition(rows.rank == 2 && tau.shape == [rows.size(0)])
      (self.rows, self.tau, self.averages) = (rows.detached(), tau.detached(), averages)
    }
  }

  public init(image: Side, text: Side) {
    precondition(image.rows.shape == text.rows.shape && image.rows.size(0) > 1)
    (self.image, self.text) = (image, text)
  }

  public var count: Int { image.rows.size(0) }
}

/// A contrastive loss of a batch with its gradients, in closed form.
///
///     L = weight · Σ_i (ℓ_i of the images + ℓ_i of the texts) + cyclic terms
///
/// ℓ_i is an `AnchorLoss`. The closed form needs no record of operations. So the similarities exist one tile of rows at a
/// time, and a large batch takes the memory of one tile.
public struct ContrastiveGradient {
  /// L, a number; float64 [].
  public let loss: Tensor
  public let image: Side
  public let text: Side

  public struct Side {
    /// dL / d rows, [B, E].
    public let rows: Tensor
    /// dL / dτ, [B]; of a robust loss times the weight of an anchor its estimate of the slope, as in `slopes`.
    public let tau: Tensor
    /// The derivative of each anchor's ℓ_i by its temperature, [B].
    public let slopes: Tensor
    /// The cross-entropy of each anchor at its temperature with its pair among the candidates, [B], whatever the loss.
    public let crossEntropy: Tensor
    /// After the step; nil of a loss without them.
    public let averages: AnchorAverages?
  }

  /// - Parameters:
  ///   - weight: of each anchor; 1 / (2 B) for the mean of both sides, 1 / B for their sum.
  ///   - cyclic: CyCLIP's additional terms.
  ///   - tileRows: how many rows of similarities exist at a time; nil for all.
  public init(
    _ loss: AnchorLoss, of batch: ContrastiveBatch, weight: Double, cyclic: CyclicTerms? = nil, tileRows: Int? = nil
  ) {
    self = withoutGradients {
      var sums = Accumulator(batch)
      if let tileRows, tileRows < batch.count {
        for first in stride(from: 0, to: batch.count, by: tileRows) {
          sums.addTile(first..<min(first + tileRows, batch.count), loss, cyclic: cyclic)
        }
      } else {
        sums.addWhole(loss, cyclic: cyclic)
      }
      return sums.gradient(weight: weight)
    }
  }

  private init(loss: Tensor, image: Side, text: Side) { (self.loss, self.image, self.text) = (loss, image, text) }
}

extension ContrastiveGradient {
  /// The sums over tiles.
  private struct Accumulator {
    let batch: ContrastiveBatch
    var imageFigures: [AnchorFigures] = []
    var textFigures: [AnchorFigures] = []
    let imageRows: Tensor
    let textRows: Tensor
    /// The gradients and the value of the cyclic terms, which have a weight of their own.
    var cyclic: CyclicTerms.Gradient?

    init(_ batch: ContrastiveBatch) {
      self.batch = batch
      imageRows = batch.image.rows * 0
      textRows = batch.text.rows * 0
    }

    /// All rows as one tile: one product gives the similarities of both sides, and their gradients go back together.
    mutating func addWhole(_ loss: AnchorLoss, cyclic terms: CyclicTerms?) {
      let (image, text) = (batch.image, batch.text)
      let similarity = image.rows.matmul(text.rows.transposed())
      let ofImages = loss.evaluate(similarity: similarity, first: 0, tau: image.tau, averages: image.averages)
      let ofTexts = loss.evaluate(
        similarity: similarity.transposed().contiguous(), first: 0, tau: text.tau, averages: text.averages)
      let gradient = ofImages.gradient + ofTexts.gradient.transposed()
      imageFigures = [ofImages.figures]
      textFigures = [ofTexts.figures]
      imageRows.add(gradient.matmul(text.rows))
      textRows.add(gradient.transposed().contiguous().matmul(image.rows))
      if let terms { cyclic = terms.gradient(image.rows, text.rows, anchors: 0..<batch.count) }
    }

    mutating func addTile(_ anchors: Range<Int>, _ loss: AnchorLoss, cyclic terms: CyclicTerms?) {
      let (image, text) = (batch.image, batch.text)
      imageFigures.append(Self.add(anchors, image, text, loss, to: imageRows, textRows))
      textFigures.append(Self.add(anchors, text, image, loss, to: textRows, imageRows))
      guard let terms else { return }
      let part = terms.gradient(image.rows, text.rows, anchors: anchors)
      cyclic = cyclic.map { $0.followed(by: part) } ?? part
    }

    /// Adds what the anchors of one side give to the gradients of its rows and of their candidates.
    private static func add(
      _ anchors: Range<Int>, _ side: ContrastiveBatch.Side, _ other: ContrastiveBatch.Side, _ loss: AnchorLoss,
      to rows: Tensor, _ candidates: Tensor
    ) -> AnchorFigures {
      let own = side.rows[anchors]
      let (figures, gradient) = loss.evaluate(
        similarity: own.matmul(other.rows.transposed()), first: anchors.lowerBound, tau: side.tau[anchors],
        averages: side.averages?.rows(anchors))
      rows[anchors].add(gradient.matmul(other.rows))
      candidates.add(gradient.transposed().contiguous().matmul(own))
      return figures
    }

    func gradient(weight: Double) -> ContrastiveGradient {
      func side(_ parts: [AnchorFigures], _ rows: Tensor, _ cycles: Tensor?) -> (Side, loss: Tensor) {
        let figures = AnchorFigures.joined(parts)
        let gradient = rows * weight
        let side = Side(
          rows: cycles.map { gradient + $0 } ?? gradient, tau: figures.slope * weight, slopes: figures.slope,
          crossEntropy: figures.crossEntropy, averages: figures.averages)
        return (side, figures.loss.sum(0, dtype: .float64))
      }
      let (image, imageLoss) = side(imageFigures, imageRows, cyclic?.image)
      let (text, textLoss) = side(textFigures, textRows, cyclic?.text)
      let loss = (imageLoss + textLoss) * weight
      return ContrastiveGradient(loss: cyclic.map { loss + $0.value } ?? loss, image: image, text: text)
    }
  }
}
