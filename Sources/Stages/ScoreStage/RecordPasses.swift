import TempNet

/// Records of scored positions in the passes in which a model computes them.
///
/// Everything that follows from records is computed pass by pass, so that it has the same bits whether the records are
/// computed or read.
public protocol RecordPasses {
  /// The first row of each pass, and after the last one the number of rows.
  var offsets: [Int] { get }
  func records(ofPass index: Int) throws -> TokenRecords
}

extension RecordPasses {
  public var passCount: Int { offsets.count - 1 }
  public var rows: Int { offsets[passCount] }
  public func rows(ofPass index: Int) -> Range<Int> { offsets[index]..<offsets[index + 1] }
}

/// Records of a text.
public protocol TextRecordPasses: RecordPasses {
  /// The document of each row of a pass, counted from 0 in the order of the split.
  func documents(ofPass index: Int) throws -> [Int]
}

/// Records of a task's requests. A request is scored in one or several sequences.
public protocol TaskRecordPasses: RecordPasses {
  /// The sequence of each row of a pass. The rows of a sequence are consecutive and in the order of its tokens.
  func sequences(ofPass index: Int) throws -> [Int]
}
