/// What a pickle builds, without running anything: values lie in one table and refer to one another by place, so that a
/// hostile file can nest them as deeply as it likes.
enum PickleValue {
  typealias Place = Int

  case none
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  /// Also for lists: nothing here changes one after it was read.
  case sequence([Place])
  case mapping([(key: Place, value: Place)])
  /// A name that a pickle imports, such as `torch._utils._rebuild_tensor_v2`. It stays a name.
  case imported(String)
  case storage(PickledStorage)
  case tensor(PickledTensor)
  /// The result of something that is not needed to find tensors; it was not computed.
  case unknown
}

/// The numbers behind one or several tensors, in a file of their own within the archive.
struct PickledStorage: Equatable {
  /// The file's name, under `data/`.
  let key: String
  let type: ElementType
  /// How many numbers there are.
  let count: Int
}

/// A view of a storage.
struct PickledTensor: Equatable {
  let storage: PickledStorage
  /// Numbers before the first one.
  let offset: Int
  let shape: [Int]
  /// Numbers from one index to the next, for each dimension.
  let strides: [Int]

  /// - Returns: nil for a view that leaves its storage.
  init?(_ storage: PickledStorage, offset: Int, shape: [Int], strides: [Int]) {
    guard shape.count == strides.count, shape.count <= 16, offset >= 0,
      (shape + strides).allSatisfy({ (0...1 << 40).contains($0) })
    else { return nil }
    var (last, count) = (offset, 1)
    for (size, stride) in zip(shape, strides) {
      let (span, tooWide) = max(0, size - 1).multipliedReportingOverflow(by: stride)
      let (end, tooFar) = last.addingReportingOverflow(span)
      let (product, tooMany) = count.multipliedReportingOverflow(by: size)
      if tooWide || tooFar || tooMany { return nil }
      (last, count) = (end, product)
    }
    // Strides of 0 could make a view of any size from one number.
    guard count == 0 || last < storage.count && count <= storage.count else { return nil }
    (self.storage, self.offset, self.shape, self.strides) = (storage, offset, shape, strides)
  }
}
