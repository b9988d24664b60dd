import WireFormats

/// Builds an ONNX model, node by node: the fields of `onnx.proto` that a model of float32 and int64 tensors needs.
/// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
struct OnnxGraph {
  /// The name of a value within the graph.
  struct Value {
    fileprivate let name: String
  }

  /// The version of ONNX's operator set: the oldest with all used operators in their present form.
  static let operatorSet = 17
  /// The version of the file format that belongs to it.
  private static let irVersion = 8

  /// The type of a tensor's numbers, by its code in `onnx.proto`.
  enum Element: Int {
    case float32 = 1
    case int32 = 6
    case int64 = 7
  }

  /// The size of a dimension.
  enum Size {
    case fixed(Int)
    /// Left open under a name; equal names are equal sizes.
    case open(String)

    static let rows = Size.open("rows")
  }

  private var nodes: [ProtobufMessage] = []
  private var constants: [ProtobufMessage] = []
  private var inputs: [ProtobufMessage] = []
  private var outputs: [ProtobufMessage] = []
  private var count = 0

  enum Attribute {
    case integer(Int)
    case integers([Int])
    case number(Double)
    case text(String)
  }

  mutating func input(_ name: String, _ shape: [Size], _ type: Element = .float32) -> Value {
    inputs.append(Self.description(name, shape, type))
    return Value(name: name)
  }

  /// An input [rows] or [rows, columns]; how many rows there are is left open.
  mutating func input(_ name: String, columns: Int?) -> Value { input(name, Self.rows(of: columns)) }

  /// Makes a value [rows] or [rows, columns] an output of the graph.
  mutating func output(_ value: Value, _ name: String, columns: Int? = nil) {
    var node = ProtobufMessage()
    node.string(1, value.name)
    node.string(2, name)
    node.string(4, "Identity")
    nodes.append(node)
    outputs.append(Self.description(name, Self.rows(of: columns), .float32))
  }

  mutating func constant(_ numbers: [Float], _ shape: [Int], name: String? = nil) -> Value {
    constant(numbers.withUnsafeBytes(Array.init), shape, .float32, name)
  }

  mutating func constant(_ number: Double) -> Value { constant([Float(number)], []) }

  /// Whole numbers as a list: axes, a shape, places.
  mutating func axes(_ numbers: [Int]) -> Value { integers(numbers, [numbers.count]) }

  mutating func integers(_ numbers: [Int], _ shape: [Int]) -> Value {
    constant(numbers.map(Int64.init).withUnsafeBytes(Array.init), shape, .int64, nil)
  }

  private mutating func constant(_ bytes: [UInt8], _ shape: [Int], _ type: Element, _ name: String?) -> Value {
    let name = name ?? freshName()
    var tensor = ProtobufMessage()
    for size in shape { tensor.integer(1, size) }
    tensor.integer(2, type.rawValue)
    tensor.string(8, name)
    tensor.bytes(9, bytes)
    constants.append(tensor)
    return Value(name: name)
  }

  /// Adds an operator of one result.
  mutating func apply(
    _ operation: String, _ arguments: Value..., attributes: [(String, Attribute)] = []
  ) -> Value {
    let result = freshName()
    var node = ProtobufMessage()
    for argument in arguments { node.string(1, argument.name) }
    node.string(2, result)
    node.string(4, operation)
    for (name, value) in attributes { node.message(5, Self.attribute(name, value)) }
    nodes.append(node)
    return Value(name: result)
  }

  /// The model's file.
  ///
  /// - Parameter metadata: strings that travel with the model, in this order.
  func model(name: String, producer: String, version: String, metadata: [(String, String)]) -> [UInt8] {
    var graph = ProtobufMessage()
    for node in nodes { graph.message(1, node) }
    graph.string(2, name)
    for constant in constants { graph.message(5, constant) }
    for input in inputs { graph.message(11, input) }
    for output in outputs { graph.message(12, output) }
    var set = ProtobufMessage()
    set.string(1, "")
    set.integer(2, Self.operatorSet)
    var model = ProtobufMessage()
    model.integer(1, Self.irVersion)
    model.string(2, producer)
    model.string(3, version)
    model.message(7, graph)
    model.message(8, set)
    for (key, value) in metadata {
      var entry = ProtobufMessage()
      entry.string(1, key)
      entry.string(2, value)
      model.message(14, entry)
    }
    return model.bytes
  }

  private mutating func freshName() -> String {
    count += 1
    return "v\(count)"
  }

  private static func attribute(_ name: String, _ value: Attribute) -> ProtobufMessage {
    var attribute = ProtobufMessage()
    attribute.string(1, name)
    switch value {
    case .integer(let number):
      attribute.integer(3, number)
      attribute.integer(20, 2)
    case .integers(let numbers):
      for number in numbers { attribute.integer(8, number) }
      attribute.integer(20, 7)
    case .number(let number):
      attribute.float(2, Float(number))
      attribute.integer(20, 1)
    case .text(let text):
      attribute.string(4, text)
      attribute.integer(20, 3)
    }
    return attribute
  }

  private static func rows(of columns: Int?) -> [Size] { [.rows] + (columns.map { [.fixed($0)] } ?? []) }

  private static func description(_ name: String, _ sizes: [Size], _ type: Element) -> ProtobufMessage {
    var shape = ProtobufMessage()
    for size in sizes {
      var dimension = ProtobufMessage()
      switch size {
      case .fixed(let count): dimension.integer(1, count)
      case .open(let name): dimension.string(2, name)
      }
      shape.message(1, dimension)
    }
    var tensor = ProtobufMessage()
    tensor.integer(1, type.rawValue)
    tensor.message(2, shape)
    var value = ProtobufMessage()
    value.message(1, tensor)
    var description = ProtobufMessage()
    description.string(1, name)
    description.message(2, value)
    return description
  }
}
