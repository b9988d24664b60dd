import ProcessGroups
import Testing
import Torch

@Suite struct LaneSumTests {
  /// Numbers whose float32 sum depends on the order of the additions.
  private let values: [Float] = [1e8, 1, -1e8, 3, 1e-3, 7, -5e7]

  private func lane(_ index: Int) -> LaneSum {
    LaneSum(lanes: index..<index + 1, tensors: [Tensor([values[index]])])
  }

  @Test func `the sum of lanes is that of the two halves, the first the larger`() {
    let (a, b, c) = (values[0], values[1], values[2])
    let root = LaneSum.root(of: (0..<3).map(lane), lanes: 3)
    #expect(root.lanes == 0..<3 && root.tensors[0].floats == [(a + b) + c])
  }

  @Test(arguments: [1, 2, 3, 7])
  func `whoever adds up a part of the tree comes to the same bytes`(lanes: Int) {
    let whole = LaneSum.root(of: (0..<lanes).map(lane), lanes: lanes).tensors[0].floats
    // A process with the first half of the lanes brings one node, the others bring their leaves.
    let middle = (lanes + 1) / 2
    let half = LaneSum.root(of: (0..<middle).map(lane), lanes: middle)
    let joined = LaneSum.root(of: [half] + (middle..<lanes).map(lane), lanes: lanes)
    #expect(joined.tensors[0].floats == whole)
    #expect(OneProcess().sum((0..<lanes).map(lane), lanes: lanes)[0].floats == whole)
  }
}
