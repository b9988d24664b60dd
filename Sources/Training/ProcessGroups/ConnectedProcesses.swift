import Diagnostics
import Torch

/// Processes that a transport connects.
///
/// It computes the sums. Each process receives one piece of the partial sums of all others, adds these over the tree of
/// lanes, and sends the result to all. That is the traffic of a ring, but the order of additions does not depend on the
/// transport.
public struct ConnectedProcesses: ProcessGroup {
  private let transport: any Transport

  public init(_ transport: any Transport) { self.transport = transport }

  public var rank: Int { transport.rank }
  public var size: Int { transport.size }

  public func sum(_ nodes: [LaneSum], lanes: Int) throws -> [Tensor] {
    let own = LaneSum.joined(nodes, covering: self.lanes(of: lanes), lanes: lanes)
    guard size > 1 else { return LaneSum.root(of: own, lanes: lanes).tensors }
    let layout = Layout(own[0].tensors)
    let flat = own.map { LaneSum(lanes: $0.lanes, tensors: layout.flattened($0.tensors)) }
    let covers = (0..<size).map { LaneSum.cover(self.lanes(of: lanes, rank: $0), lanes: lanes) }
    let received = try transport.exchange(
      (0..<size).map { process in flat.flatMap { layout.bytes($0.tensors, part: process, of: size) } },
      receiving: covers.map { $0.count * layout.byteCount(part: rank, of: size) })
    let parts = zip(covers, received).flatMap { cover, bytes in layout.nodes(cover, bytes, part: rank, of: size) }
    let sum = LaneSum.root(of: parts, lanes: lanes).tensors.flatMap(\.bytes)
    return layout.tensors(try transport.gather(sum), like: own[0].tensors)
  }

  public func gathered(_ rows: Tensor) throws -> Tensor {
    guard size > 1 else { return rows }
    let shape = Array(rows.shape.dropFirst())
    let rowLength = shape.reduce(rows.dtype.byteCount, *)
    let parts = try transport.gather(rows.detached().bytes).enumerated().map { process, bytes in
      guard process != rank else { return rows }
      guard bytes.count % rowLength == 0 else {
        throw Failure(.internal, "process \(process) passed rows of a shape other than \(rows.shape)")
      }
      return bytes.withUnsafeBytes {
        Tensor(bytes: $0, dtype: rows.dtype, shape: [bytes.count / rowLength] + shape).to(rows.device)
      }
    }
    return .concatenate(parts)
  }

  public func broadcast(_ bytes: [UInt8], from rank: Int) throws -> [UInt8] {
    try transport.broadcast(bytes, from: rank)
  }
  public func agreed(_ status: Int32) throws -> Int32 { try transport.maximum(status) }
  public func abort(_ status: Int32) -> Never { transport.abort(status) }
}

/// The layout of a node's tensors: one flat tensor for each type of element.
private struct Layout {
  private struct Run {
    let dtype: DType
    /// The indices of the tensors in the node.
    let members: [Int]
    /// The number of elements of all of them.
    let count: Int

    func range(part: Int, of parts: Int) -> Range<Int> { part * count / parts..<(part + 1) * count / parts }
  }

  private let runs: [Run]

  init(_ tensors: [Tensor]) {
    var dtypes: [DType] = []
    for tensor in tensors where !dtypes.contains(tensor.dtype) { dtypes.append(tensor.dtype) }
    runs = dtypes.map { dtype in
      let members = tensors.indices.filter { tensors[$0].dtype == dtype }
      return Run(dtype: dtype, members: members, count: members.reduce(0) { $0 + tensors[$1].count })
    }
  }

  func flattened(_ tensors: [Tensor]) -> [Tensor] {
    runs.map { run in .concatenate(run.members.map { tensors[$0].detached().reshaped([-1]) }) }
  }

  /// Of one part of a node's flat tensors.
  func byteCount(part: Int, of parts: Int) -> Int {
    runs.reduce(0) { $0 + $1.range(part: part, of: parts).count * $1.dtype.byteCount }
  }

  func bytes(_ flat: [Tensor], part: Int, of parts: Int) -> [UInt8] {
    zip(runs, flat).flatMap { run, tensor in tensor[run.range(part: part, of: parts)].bytes }
  }

  /// The nodes whose parts follow one another in `bytes`.
  func nodes(_ cover: [Range<Int>], _ bytes: [UInt8], part: Int, of parts: Int) -> [LaneSum] {
    var rest = bytes[...]
    return cover.map { lanes in
      LaneSum(
        lanes: lanes, tensors: runs.map { take($0.range(part: part, of: parts).count, $0.dtype, from: &rest) })
    }
  }

  /// The tensors of a node, joined from its parts, with the given shapes and devices.
  func tensors(_ parts: [[UInt8]], like given: [Tensor]) -> [Tensor] {
    var rests = parts.map { $0[...] }
    var tensors: [Tensor?] = Array(repeating: nil, count: given.count)
    for run in runs {
      let flat = Tensor.concatenate(
        parts.indices.map { take(run.range(part: $0, of: parts.count).count, run.dtype, from: &rests[$0]) })
      var start = 0
      for member in run.members {
        let end = start + given[member].count
        tensors[member] = flat[start..<end].reshaped(given[member].shape).to(given[member].device)
        start = end
      }
    }
    return tensors.map { $0! }
  }

  private func take(_ count: Int, _ dtype: DType, from rest: inout ArraySlice<UInt8>) -> Tensor {
    let length = count * dtype.byteCount
    defer { rest = rest.dropFirst(length) }
    return rest.prefix(length).withUnsafeBytes { Tensor(bytes: $0, dtype: dtype, shape: [count]) }
  }
}
