import Diagnostics
import ProcessGroups
import Testing
import Torch

@Suite struct SharedWorkTests {
  @Test func `one lane is the sum itself`() {
    let tensor = Tensor([1 as Float, 2])
    OneProcess().sum([LaneSum(lanes: 0..<1, tensors: [tensor])], lanes: 1)[0].fill(with: 7)
    #expect(tensor.floats == [7, 7])
  }

  @Test(arguments: 1...5)
  func `every lane belongs to one process`(size: Int) {
    let dealt = (0..<size).flatMap { Array(Member(rank: $0, size: size).lanes(of: 8)) }
    #expect(dealt == Array(0..<8))
  }

  @Test func `a failure of one process is a failure of all`() throws {
    #expect(try Member(rank: 0, size: 2).together { 3 } == 3)
    #expect { try Member(rank: 0, size: 2, others: ExitStatus.inputOutput.rawValue).together { 3 } } throws: {
      ($0 as? Failure)?.status == .inputOutput && "\($0)".contains("another process")
    }
    let own = Failure(.badData, "is damaged")
    #expect(throws: own) { try Member(rank: 0, size: 2).together { throw own } }
  }

  @Test func `the tensors of process 0 reach the others`() throws {
    let tensor = Tensor.zeros([2])
    try Member(rank: 1, size: 2, sent: Tensor([3 as Float, 4]).bytes).broadcast([tensor])
    #expect(tensor.floats == [3, 4])
  }

  /// One of several processes, with what the others say.
  private struct Member: ProcessGroup {
    let rank: Int
    let size: Int
    var others: Int32 = 0
    var sent: [UInt8] = []
    func sum(_ nodes: [LaneSum], lanes: Int) -> [Tensor] { LaneSum.root(of: nodes, lanes: lanes).tensors }
    func gathered(_ rows: Tensor) -> Tensor { rows }
    func broadcast(_ bytes: [UInt8], from rank: Int) -> [UInt8] { sent }
    func agreed(_ status: Int32) -> Int32 { max(status, others) }
    func abort(_ status: Int32) -> Never { OneProcess().abort(status) }
  }
}
