import ProcessGroups
import TestSupport
import Testing
import Torch

@Suite struct SharedWorkTests {
  @Test func `one lane is the sum itself`() {
    let tensor = Tensor([1 as Float, 2])
    OneProcess().sum([LaneSum(lanes: 0..<1, tensors: [tensor])], lanes: 1)[0].fill(with: 7)
    #expect(tensor.floats == [7, 7])
  }

  @Test(arguments: 1...5)
  func `every lane belongs to one process`(size: Int) throws {
    let dealt = try ThreadTransport.run(size) { Array($0.lanes(of: 8)) }.flatMap { try $0.get() }
    #expect(dealt == Array(0..<8))
  }
}
