import Files
import JSON
import TempNet
import TestSupport
import Testing
import Torch

@Suite struct LabelledLossesTests {
  private let reference: JSON

  init() throws {
    let path = "\(Files.folder(of: #filePath))/Fixtures/labelled-losses.json"
    reference = try JSON(parsing: Files.read(path), source: path)
  }

  private func numbers(_ name: String) throws -> [Double] {
    try #require(reference[name]?.arrayValue).compactMap(\.doubleValue)
  }

  private struct Rows {
    let logits: Tensor
    let labels: Tensor
    let tau: Tensor
    let kept: Tensor

    /// [N]
    func crossEntropy(at tau: Tensor) -> Tensor {
      -(logits / tau.unsqueezed(1)).logSoftmax(-1).gathered(1, labels.unsqueezed(1)).squeezed(1)
    }

    func uniform(at tau: Tensor) -> Tensor { -(logits / tau.unsqueezed(1)).logSoftmax(-1).mean(-1) }

    var hit: Tensor {
      (logits.maximum(-1) - logits.gathered(1, labels.unsqueezed(1)).squeezed(1)).equal(0).to(.float64)
    }
  }

  private func rows() throws -> Rows {
    let count = try #require(reference["rows"]?.intValue)
    let logits = try numbers("logits")
    return Rows(
      logits: Tensor(logits, shape: [count, logits.count / count]),
      labels: Tensor(try numbers("labels").map(Int64.init)),
      tau: Tensor(try numbers("tau")), kept: Tensor(try numbers("kept")))
  }

  private func check(_ name: String, _ losses: (Rows, Tensor) -> Tensor) throws {
    let rows = try rows()
    let tau = rows.tau.requiringGradient()
    let loss = losses(rows, tau).mean()
    loss.backward()
    let expected = try #require(reference[name])
    #expect(abs(loss.item - (expected["loss"]?.doubleValue ?? .nan)) < 1e-12)
    let gradient = try #require(expected["gradient"]?.arrayValue).compactMap(\.doubleValue)
    for (own, theirs) in zip(try #require(tau.gradient).doubles, gradient) { #expect(abs(own - theirs) < 1e-12) }
  }

  @Test func `AutoDeco's loss and its gradient are those of the published code`() throws {
    try check("autodeco") { rows, tau in
      LabelledLosses.autoDeco(
        crossEntropy: rows.crossEntropy(at: tau), own: rows.crossEntropy(at: tau.detached() * 0 + 1), kept: rows.kept)
    }
  }

  @Test func `so are those of its other form`() throws {
    try check("autodeco_by_tempered") { rows, tau in
      LabelledLosses.autoDecoByTempered(crossEntropy: rows.crossEntropy(at: tau), kept: rows.kept)
    }
  }

  @Test func `so are those of selective smoothing`() throws {
    try check("selective_smoothing") { rows, tau in
      LabelledLosses.selectiveSmoothing(
        crossEntropy: rows.crossEntropy(at: tau), uniform: rows.uniform(at: tau), hit: rows.hit)
    }
  }

  @Test func `without hits, or without misses, selective smoothing is 0, as published`() {
    let losses = Tensor([1, 2] as [Double])
    for hit in [Tensor([0, 0] as [Double]), Tensor([1, 1] as [Double])] {
      #expect(LabelledLosses.selectiveSmoothing(crossEntropy: losses, uniform: losses, hit: hit).doubles == [0, 0])
    }
  }

  @Test func `of the hits three fifths are left out, of the misses none, and the seed decides which`() {
    let hit = Tensor((0..<20_000).map { Double($0 % 2) })
    TorchRuntime.seed(3)
    let kept = LabelledLosses.keepingSomeHits(hit).doubles
    let ofHits = stride(from: 1, to: 20_000, by: 2).reduce(0) { $0 + kept[$1] }
    #expect(stride(from: 0, to: 20_000, by: 2).allSatisfy { kept[$0] == 1 })
    #expect(abs(ofHits / 10_000 - 0.4) < 0.02)
    TorchRuntime.seed(3)
    #expect(LabelledLosses.keepingSomeHits(hit).doubles == kept)
  }
}
