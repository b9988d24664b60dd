import Diagnostics
import Files

/// Reads the pickle of a PyTorch file as far as tensors need it (protocols 2 to 5). Names that a pickle imports stay names
/// and nothing is called, so that a file can do no more than be wrong.
struct PickleReader {
  typealias Place = PickleValue.Place

  private let bytes: [UInt8]
  private let path: String
  private var at = 0
  private(set) var values: [PickleValue] = []
  private var stack: [Place] = []
  private var marks: [Int] = []
  private var memo: [Int: Place] = [:]

  /// Of values, places on the stack, marks and remembered places: more than a state dict with its optimiser has. A hostile
  /// file could otherwise ask for memory without end.
  private static let mostValues = 1 << 22
  /// Of numbers in a storage; its size in bytes stays far from what an integer holds.
  private static let largestStorage = 1 << 48

  /// - Parameter path: the file, for messages.
  init(_ bytes: [UInt8], path: String) { (self.bytes, self.path) = (bytes, path) }

  /// - Returns: the place of the outermost value.
  /// - Throws: `Failure(.badData)` for anything but a whole pickle of known instructions.
  mutating func read() throws -> Place {
    while true {
      let code = try byte()
      if code == UInt8(ascii: ".") { return try pop() }
      try perform(code)
    }
  }

  private mutating func perform(_ code: UInt8) throws {
    switch code {
    case 0x80: _ = try byte()  // PROTO
    case 0x95: _ = try integer(UInt64.self)  // FRAME
    case UInt8(ascii: "("):
      try checkRoom(marks.count)
      marks.append(stack.count)
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"): try push(place: top())
    case UInt8(ascii: "N"): try push(.none)
    case 0x88: try push(.boolean(true))
    case 0x89: try push(.boolean(false))
    case UInt8(ascii: "K"): try push(.integer(Int(byte())))
    case UInt8(ascii: "M"): try push(.integer(Int(integer(UInt16.self))))
    case UInt8(ascii: "J"): try push(.integer(Int(integer(Int32.self))))
    case 0x8A: try push(.integer(long(count: Int(byte()))))
    case UInt8(ascii: "G"):
      let bits = try integer(UInt64.self).byteSwapped
      try push(.number(Double(bitPattern: bits)))
    case UInt8(ascii: "X"): try push(.text(text(count: Int(integer(UInt32.self)))))
    case 0x8C: try push(.text(text(count: Int(byte()))))
    case 0x8D: try push(.text(text(count: size(integer(UInt64.self)))))
    // Strings of Python 2 and bytes hold nothing that tensors need.
    case UInt8(ascii: "U"), UInt8(ascii: "C"): try skip(Int(byte()))
    case UInt8(ascii: "T"), UInt8(ascii: "B"): try skip(Int(integer(UInt32.self)))
    case 0x8E, 0x96: try skip(size(integer(UInt64.self)))
    default: try performOnValues(code)
    }
  }

  private mutating func performOnValues(_ code: UInt8) throws {
    switch code {
    case UInt8(ascii: ")"), UInt8(ascii: "]"), 0x8F: try push(.sequence([]))
    case UInt8(ascii: "}"): try push(.mapping([]))
    case 0x85: try pushTuple(1)
    case 0x86: try pushTuple(2)
    case 0x87: try pushTuple(3)
    case UInt8(ascii: "t"), UInt8(ascii: "l"), 0x91: try push(.sequence(popToMark()))
    case UInt8(ascii: "d"): try push(.mapping(pairs(popToMark())))
    case UInt8(ascii: "a"): try append([pop()])
    case UInt8(ascii: "e"), 0x90: try append(popToMark())
    case UInt8(ascii: "s"):
      let value = try pop()
      try insert([(try pop(), value)])
    case UInt8(ascii: "u"): try insert(pairs(popToMark()))
    case UInt8(ascii: "q"): try remember(Int(byte()))
    case UInt8(ascii: "r"): try remember(Int(integer(UInt32.self)))
    case 0x94: try remember(memo.count)
    case UInt8(ascii: "h"): try push(place: remembered(Int(byte())))
    case UInt8(ascii: "j"): try push(place: remembered(Int(integer(UInt32.self))))
    case UInt8(ascii: "c"): try push(.imported("\(line()).\(line())"))
    case 0x93:
      let (name, module) = (try pop(), try pop())
      guard case .text(let module) = values[module], case .text(let name) = values[name] else {
        throw broken("an imported name is no text")
      }
      try push(.imported("\(module).\(name)"))
    case UInt8(ascii: "Q"): try push(storage(of: pop()))
    case UInt8(ascii: "R"), 0x81:
      let arguments = try pop()
      try push(result(of: pop(), arguments))
    case UInt8(ascii: "b"): _ = try pop()  // The state of an object that was not built.
    default: throw broken("has the instruction 0x\(String(code, radix: 16)), which no state dict needs")
    }
  }

  // MARK: Values

  /// What PyTorch's persistent ids stand for: ("storage", type, key, device, count).
  private func storage(of id: Place) throws -> PickleValue {
    guard case .sequence(let parts) = values[id], parts.count == 5, case .text("storage") = values[parts[0]],
      case .imported(let type) = values[parts[1]], case .text(let key) = values[parts[2]],
      case .integer(let count) = values[parts[4]], (0...Self.largestStorage).contains(count)
    else { throw broken("a storage is not described as PyTorch does") }
    guard key.isPlainName else { throw broken("a storage has the name '\(key)'") }
    guard let element = Self.elements[type] else { return .unknown }
    return .storage(PickledStorage(key: key, type: element, count: count))
  }

  private static let elements: [String: ElementType] = [
    "torch.FloatStorage": .float32, "torch.HalfStorage": .float16, "torch.BFloat16Storage": .bfloat16,
    "torch.DoubleStorage": .float64, "torch.LongStorage": .int64, "torch.IntStorage": .int32,
    "torch.ShortStorage": .int16, "torch.CharStorage": .int8, "torch.ByteStorage": .uint8, "torch.BoolStorage": .bool,
  ]

  /// The value of a call that state dicts make. Any other call has an unknown value.
  private func result(of function: Place, _ arguments: Place) throws -> PickleValue {
    guard case .imported(let name) = values[function], case .sequence(let arguments) = values[arguments] else {
      return .unknown
    }
    switch name {
    case "collections.OrderedDict": return .mapping([])
    case "torch._utils._rebuild_parameter": return arguments.first.map { values[$0] } ?? .unknown
    case "torch._utils._rebuild_tensor_v2":
      guard arguments.count >= 4 else { throw broken("a tensor is described by \(arguments.count) values") }
      guard case .storage(let storage) = values[arguments[0]] else { return .unknown }
      guard case .integer(let offset) = values[arguments[1]],
        let shape = integers(arguments[2]), let strides = integers(arguments[3]),
        let tensor = PickledTensor(storage, offset: offset, shape: shape, strides: strides)
      else { throw broken("a tensor leaves its storage '\(storage.key)' of \(storage.count) numbers") }
      return .tensor(tensor)
    default: return .unknown
    }
  }

  private func integers(_ place: Place) -> [Int]? {
    guard case .sequence(let places) = values[place] else { return nil }
    let numbers = places.compactMap { if case .integer(let number) = values[$0] { number } else { nil } }
    return numbers.count == places.count ? numbers : nil
  }

  private mutating func append(_ items: [Place]) throws {
    let list = try top()
    guard case .sequence(var members) = values[list] else { return try requireUnknown(list) }
    values[list] = .none  // So that the array has one owner and grows in place.
    members += items
    values[list] = .sequence(members)
  }

  private mutating func insert(_ items: [(key: Place, value: Place)]) throws {
    let mapping = try top()
    guard case .mapping(var members) = values[mapping] else { return try requireUnknown(mapping) }
    values[mapping] = .none
    members += items
    values[mapping] = .mapping(members)
  }

  /// What an unbuilt object would hold is passed over.
  private func requireUnknown(_ place: Place) throws {
    guard case .unknown = values[place] else { throw broken("something is put into what is no container") }
  }

  private func pairs(_ places: [Place]) throws -> [(key: Place, value: Place)] {
    guard places.count.isMultiple(of: 2) else { throw broken("a key has no value") }
    return stride(from: 0, to: places.count, by: 2).map { (places[$0], places[$0 + 1]) }
  }

  // MARK: The stack

  private mutating func push(_ value: PickleValue) throws {
    try checkRoom(values.count)
    try push(place: values.count)
    values.append(value)
  }

  private mutating func push(place: Place) throws {
    try checkRoom(stack.count)
    stack.append(place)
  }

  private mutating func remember(_ index: Int) throws {
    try checkRoom(memo.count)
    memo[index] = try top()
  }

  private func checkRoom(_ count: Int) throws {
    guard count < Self.mostValues else { throw broken("holds more than \(Self.mostValues) values") }
  }

  private mutating func pushTuple(_ count: Int) throws {
    guard stack.count - (marks.last ?? 0) >= count else { throw broken("takes a value from an empty stack") }
    let members = Array(stack.suffix(count))
    stack.removeLast(count)
    try push(.sequence(members))
  }

  private mutating func pop() throws -> Place {
    guard stack.count > marks.last ?? 0, let place = stack.popLast() else {
      throw broken("takes a value from an empty stack")
    }
    return place
  }

  private func top() throws -> Place {
    guard let place = stack.last else { throw broken("reads an empty stack") }
    return place
  }

  private mutating func popToMark() throws -> [Place] {
    guard let mark = marks.popLast(), mark <= stack.count else { throw broken("has no mark where one is due") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private func remembered(_ index: Int) throws -> Place {
    guard let place = memo[index] else { throw broken("refers to value \(index), which it never stored") }
    return place
  }

  // MARK: Bytes

  private mutating func byte() throws -> UInt8 { try take(1).first! }

  private mutating func integer<Number: FixedWidthInteger>(_: Number.Type) throws -> Number {
    let taken = try take(MemoryLayout<Number>.size)
    return taken.reversed().reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
  }

  /// A whole number of Python's, in two's complement; one that does not fit is no size of a tensor, and becomes -1.
  private mutating func long(count: Int) throws -> Int {
    let taken = Array(try take(count))
    guard let last = taken.last else { return 0 }
    guard count <= 8 else { return -1 }
    return taken.reversed().reduce(last >= 0x80 ? -1 : 0) { $0 << 8 | Int($1) }
  }

  private mutating func text(count: Int) throws -> String { String(decoding: try take(count), as: UTF8.self) }

  private mutating func line() throws -> String {
    guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "\n")) else { throw broken("ends within a name") }
    defer { at = end + 1 }
    return String(decoding: bytes[at..<end], as: UTF8.self)
  }

  private mutating func skip(_ count: Int) throws {
    _ = try take(count)
    try push(.unknown)
  }

  private func size(_ number: UInt64) throws -> Int {
    guard let size = Int(exactly: number) else { throw broken("states a length of \(number)") }
    return size
  }

  private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
    guard count <= bytes.count - at else { throw broken("ends early") }
    defer { at += count }
    return bytes[at..<at + count]
  }

  private func broken(_ what: String) -> Failure {
    Failure(.badData, "the pickle \(what)", at: path)
  }
}
