import Diagnostics
import ProcessGroups
import TestSupport
import Testing
import Torch

@Suite(.serialized) struct ConnectedProcessesTests {
  /// A lane of numbers whose sum depends on the order of additions, of two types and shapes.
  private static func lane(_ index: Int) -> LaneSum {
    let floats = (0..<7).map { Float(((index * 31 + $0 * 17) % 23) - 11) * (index % 3 == 0 ? 1e7 : 1e-2) }
    let doubles = [Double(index) * 1e16, 1 / Double(index + 1)]
    return LaneSum(
      lanes: index..<index + 1,
      tensors: [Tensor(doubles), Tensor(Array(floats[..<6]), shape: [2, 3]), Tensor(scalar: floats[6])])
  }

  private static func bytes(_ tensors: [Tensor]) -> [[UInt8]] { tensors.map(\.bytes) }

  /// Fails where a process adds in another order than the tree's, or puts a part of a sum in the wrong place.
  @Test(arguments: 1...16)
  func `any number of processes comes to the bytes of one`(lanes: Int) throws {
    let alone = OneProcess().sum((0..<lanes).map(Self.lane), lanes: lanes)
    for size in 1...lanes {
      let sums = ThreadTransport.run(size) { processes in
        let sum = try processes.sum(processes.lanes(of: lanes).map(Self.lane), lanes: lanes)
        #expect(sum.map(\.shape) == [[2], [2, 3], []] && sum.map(\.dtype) == [.float64, .float32, .float32])
        return Self.bytes(sum)
      }
      for sum in sums { #expect(try sum.get() == Self.bytes(alone)) }
    }
  }

  /// The loss of all pairs of rows: a process that lost the terms of pairs with others' rows would have another gradient.
  private static func pairLoss(_ rows: Tensor) -> Tensor {
    let products = rows.matmul(rows.transposed())
    return (products * products).sum()
  }

  @Test func `rows of all processes are in order, and each has the gradient of its own`() throws {
    let counts = [1, 3, 2]
    let all = Tensor((0..<12).map { Float(($0 * 5) % 7) / 3 - 1 }, shape: [6, 2])
    let whole = all.detached().requiringGradient()
    Self.pairLoss(whole).backward()
    let expected = whole.gradient!.bytes
    let values = all.floats
    let results = ThreadTransport.run(3) { processes in
      let start = counts[..<processes.rank].reduce(0, +)
      let own = Tensor(
        Array(values[2 * start..<2 * (start + counts[processes.rank])]), shape: [counts[processes.rank], 2]
      )
      .requiringGradient()
      let rows = try processes.gathered(own)
      #expect(rows.floats == values)
      Self.pairLoss(rows).backward()
      return own.gradient!.bytes
    }
    #expect(try results.flatMap { try $0.get() } == expected)
  }

  @Test func `a failure of one process is a failure of all, with the greatest status`() {
    let own = Failure(.inputOutput, "a bad disk")
    let results = ThreadTransport.run(3) { processes in
      try processes.together { if processes.rank == 1 { throw own } }
    }
    for (rank, result) in results.enumerated() {
      #expect { try result.get() } throws: { error in
        guard let failure = error as? Failure else { return false }
        return rank == 1 ? failure == own : failure.status == .inputOutput && "\(failure)".contains("another process")
      }
    }
  }

  @Test func `a reason to stop is shared, and a failure counts more`() throws {
    for (failing, stopping) in [(nil, 2), (1, 2)] as [(Int?, Int)] {
      let results = ThreadTransport.run(3) { processes in
        if processes.rank == failing { try processes.together { throw Failure(.badData, "is damaged") } }
        return try processes.agreeToStop(processes.rank == stopping)
      }
      for result in results {
        if failing == nil {
          #expect(try result.get())
        } else {
          #expect { try result.get() } throws: { ($0 as? Failure)?.status == .badData }
        }
      }
    }
  }

  @Test func `the tensors of process 0 reach the others`() throws {
    let results = ThreadTransport.run(3) { processes in
      let tensors = [Tensor([Float(processes.rank), 1]), Tensor([Double(processes.rank)])]
      try processes.broadcast(tensors)
      return tensors.map(\.doubles)
    }
    for result in results { #expect(try result.get() == [[0, 1], [0]]) }
  }
}
