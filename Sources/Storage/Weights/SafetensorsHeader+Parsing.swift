import Diagnostics
import JSON

extension SafetensorsHeader {
  /// Reads the JSON of a header and checks everything in it against the length of the data that follows.
  ///
  /// Accepts the same files as the safetensors library: tensors may be in any order in the JSON, and their data must fill
  /// the file without gap or overlap.
  ///
  /// - Parameters:
  ///   - text: the JSON, which may end in blanks.
  ///   - dataSize: how many bytes follow the header in the file.
  ///   - path: the file, for messages.
  init(parsing text: [UInt8], dataSize: Int, path: String) throws {
    guard case .object(let object) = try JSON(parsing: text, source: "\(path), header") else {
      throw Failure(.badData, "the header is not a JSON object", at: path)
    }
    var metadata: [String: String] = [:]
    var places: [Place] = []
    for (name, value) in object {
      let field = Field(path: path, name: name)
      if name == Self.metadataKey {
        metadata = try field.metadata(value)
      } else {
        places.append(try field.place(value))
      }
    }
    // An empty tensor begins at the offset of the tensor after it, so that ends order equal beginnings.
    places.sort {
      ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound)
    }
    var end = 0
    for place in places {
      let field = Field(path: path, name: place.description.name)
      let begin = place.bytes.lowerBound
      guard begin == end else {
        throw field.failure("data_offsets begin at \(begin), but the data before it end at \(end)")
      }
      end = place.bytes.upperBound
    }
    guard end == dataSize else {
      throw Failure(
        .badData, "the header describes \(end) bytes of data, but \(dataSize) follow it", at: path)
    }
    self.places = places
    self.metadata = metadata
  }
}

/// One key of the header while it is being read.
private struct Field {
  let path: String
  let name: String

  func failure(_ message: String) -> Failure { Failure(.badData, message, at: "\(path), \"\(name)\"") }

  /// The safetensors library reads null as no metadata.
  func metadata(_ value: JSON) throws -> [String: String] {
    if value.isNull { return [:] }
    guard case .object(let object) = value else { throw failure("is \(value.kindName), not an object of strings") }
    var metadata: [String: String] = [:]
    for (key, value) in object {
      guard case .string(let text) = value else { throw failure("the value of \"\(key)\" is not a string") }
      metadata[key] = text
    }
    return metadata
  }

  func place(_ value: JSON) throws -> SafetensorsHeader.Place {
    guard case .object(let object) = value else { throw failure("is \(value.kindName), not an object") }
    let known = ["dtype", "shape", "data_offsets"]
    for (key, _) in object where !known.contains(key) { throw failure("unknown field \"\(key)\"") }
    guard case .string(let typeName)? = object["dtype"] else { throw failure("dtype is not a string") }
    guard let type = ElementType(rawValue: typeName) else {
      let names = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
      throw failure("dtype \(typeName) is not one of \(names)")
    }
    let shape = try sizes(object["shape"], called: "shape")
    let offsets = try sizes(object["data_offsets"], called: "data_offsets")
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw failure("data_offsets \(offsets) are not a beginning and an end")
    }
    let description = TensorDescription(name, type, shape)
    guard let size = description.byteCount else {
      throw failure("shape \(shape) has more bytes than 64 bits count")
    }
    guard size == offsets[1] - offsets[0] else {
      throw failure(
        "\(typeName) of shape \(shape) takes \(size) bytes, but data_offsets \(offsets) span "
          + "\(offsets[1] - offsets[0])")
    }
    return SafetensorsHeader.Place(description: description, bytes: offsets[0]..<offsets[1])
  }

  private func sizes(_ value: JSON?, called key: String) throws -> [Int] {
    guard case .array(let values)? = value else { throw failure("\(key) is not a list") }
    return try values.map {
      guard case .integer(let number) = $0, number >= 0 else {
        throw failure("\(key) holds something that is not a whole number from 0 up")
      }
      return number
    }
  }
}
