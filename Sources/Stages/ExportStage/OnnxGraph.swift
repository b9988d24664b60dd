import WireFormats

/// Builds an ONNX model of float32 tensors, node by node: the fields of `onnx.proto` that such a model needs.
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
  private static let float32 = 1
  private static let int64 = 7

  private var nodes: [ProtobufMessage] = []
  private var constants: [ProtobufMessage] = []
  private var inputs: [ProtobufMessage] = []
  private var outputs: [ProtobufMessage] = []
  private var count = 0

  enum Attribute {
    case integer(Int)
    case integers([Int])
  }

  /// An input [rows] or [rows, columns]; how many rows there are is left open.
  mutating func input(_ name: String, columns: Int?) -> Value {
    inputs.append(Self.description(name, columns: columns))
    return Value(name: name)
  }

  /// Makes a value [rows] or [rows, columns] an output of the graph.
  mutating func output(_ value: Value, _ name: String, columns: Int? = nil) {
    var node = ProtobufMessage()
    node.string(1, value.name)
    node.string(2, name)
    node.string(4, "Identity")
    nodes.append(node)
    outputs.append(Self.description(name, columns: columns))
  }

  mutating func constant(_ numbers: [Float], _ shape: [Int], name: String? = nil) -> Value {
    constant(numbers.withUnsafeBytes(Array.init), shape, Self.float32, name)
  }

  mutating func constant(_ number: Double) -> Value { constant([Float(number)], []) }

  mutating func axes(_ numbers: [Int]) -> Value {
    constant(numbers.map(Int64.init).withUnsafeBytes(Array.init), [numbers.count], Self.int64, nil)
  }

  private mutating func constant(_ bytes: [UInt8], _ shape: [Int], _ type: Int, _ name: String?) -> Value {
    let name = name ?? freshName()
    var tensor = ProtobufMessage()
    for size in shape { tensor.integer(1, size) }
    tensor.integer(2, type)
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
    }
    return attribute
  }

  private static func description(_ name: String, columns: Int?) -> ProtobufMessage {
    var rows = ProtobufMessage()
    rows.string(2, "rows")
    var shape = ProtobufMessage()
    shape.message(1, rows)
    if let columns {
      var size = ProtobufMessage()
      size.integer(1, columns)
      shape.message(1, size)
    }
    var tensor = ProtobufMessage()
    tensor.integer(1, float32)
    tensor.message(2, shape)
    var type = ProtobufMessage()
    type.message(1, tensor)
    var description = ProtobufMessage()
    description.string(1, name)
    description.message(2, type)
    return description
  }
}
