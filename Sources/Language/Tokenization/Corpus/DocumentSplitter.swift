/// Assigns a split to every document without one, and cuts documents at the ends of splits.
public final class DocumentSplitter<Receiver: DocumentReceiver<Split>>: DocumentReceiver {
  /// How far after the wanted place a line end is searched for, in bytes; then any white space will do, then any
  /// scalar.
  static var window: Int { 1 << 16 }

  private let receiver: Receiver
  private let plan: SplitPlan
  private var nextCut = 0
  private var split: Split
  private var offset = 0
  private var isFollowingPlan = false
  /// The bytes after the wanted place of a cut, until its place is found.
  private var held: [UInt8] = []

  public init(_ plan: SplitPlan, receiver: Receiver) {
    self.plan = plan
    self.receiver = receiver
    split = plan.first
  }

  public func begin(_ split: Split?) throws {
    isFollowingPlan = split == nil
    if isFollowingPlan { passCuts() }
    try receiver.begin(split ?? self.split)
  }

  public func append(_ bytes: UnsafeBufferPointer<UInt8>) throws {
    guard isFollowingPlan else { return try receiver.append(bytes) }
    var rest = bytes[...]
    while let cut = wantedCut, offset + held.count + rest.count > cut.offset {
      let before = max(0, cut.offset - offset)
      try pass(rest.prefix(before))
      rest = rest.dropFirst(before)
      let taken = rest.prefix(Self.window - held.count)
      held += taken
      rest = rest.dropFirst(taken.count)
      guard let place = Self.place(in: held, isWhole: false) else { return }
      try self.cut(at: place)
    }
    try pass(rest)
  }

  public func end() throws {
    while wantedCut != nil, let place = Self.place(in: held, isWhole: true) { try cut(at: place) }
    if !held.isEmpty { try release(held.count) }
    try receiver.end()
  }

  /// The next cut that lies inside a document.
  private var wantedCut: SplitPlan.Cut? {
    plan.cuts[nextCut...].first.flatMap { $0.isBetweenDocuments ? nil : $0 }
  }

  /// At the start of a document, moves past the cuts before it.
  private func passCuts() {
    while nextCut < plan.cuts.count, plan.cuts[nextCut].offset <= offset {
      split = plan.cuts[nextCut].next
      nextCut += 1
    }
  }

  /// Ends the document after `place` held bytes, and begins another in the next split with the rest.
  private func cut(at place: Int) throws {
    try release(place)
    let rest = held
    held = []
    try receiver.end()
    passCuts()
    try receiver.begin(split)
    try rest.withUnsafeBufferPointer { try append($0) }
  }

  private func release(_ count: Int) throws {
    try held.withUnsafeBufferPointer { try pass($0[..<count]) }
    held.removeFirst(count)
  }

  private func pass(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) throws {
    guard !bytes.isEmpty else { return }
    try receiver.append(UnsafeBufferPointer(rebasing: bytes))
    offset += bytes.count
  }

  /// The place of a cut: after the first line end. Without a line end in a whole window, or up to the end of the
  /// document: before the first white space, or else before the second scalar. Nil while more bytes may decide, and if
  /// no bytes would follow the cut.
  ///
  /// - Parameter isWhole: whether the document ends with these bytes.
  private static func place(in held: [UInt8], isWhole: Bool) -> Int? {
    let isFull = !isWhole && held.count >= window
    if let lineEnd = held.firstIndex(of: UInt8(ascii: "\n")), lineEnd + 1 < held.count || isFull { return lineEnd + 1 }
    guard isWhole || isFull else { return nil }
    if let space = held.dropFirst().firstIndex(of: UInt8(ascii: " ")) { return space }
    return held.dropFirst().firstIndex { $0 & 0xC0 != 0x80 } ?? (isWhole ? nil : held.count)
  }
}
