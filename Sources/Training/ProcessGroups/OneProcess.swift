import Glibc
import Torch

/// A process by itself.
public struct OneProcess: ProcessGroup {
  public init() {}

  public var rank: Int { 0 }
  public var size: Int { 1 }

  public func sum(_ nodes: [LaneSum], lanes: Int) -> [Tensor] { LaneSum.root(of: nodes, lanes: lanes).tensors }
  public func gathered(_ rows: Tensor) -> Tensor { rows }
  public func broadcast(_ bytes: [UInt8], from rank: Int) -> [UInt8] { bytes }
  public func agreed(_ status: Int32) -> Int32 { status }
  public func abort(_ status: Int32) -> Never { exit(status) }
}
