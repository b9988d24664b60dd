import Diagnostics
import JSON

/// The first part of a safetensors file: an 8-byte little-endian length, then JSON that names each tensor with
/// its type, shape and place in the data that follows, and free strings under `__metadata__`.
struct SafetensorsHeader: Equatable, Sendable {
  /// One tensor with the range of its bytes, counted from the end of the header.
  struct Place: Equatable, Sendable {
    let description: TensorDescription
    let bytes: Range<Int>
  }

  /// In the order of their data.
  let places: [Place]
  let metadata: [String: String]

  /// The length of the data after the header.
  var dataSize: Int { places.last?.bytes.upperBound ?? 0 }

  /// The longest header that the safetensors library reads.
  static let maximumLength = 100_000_000
  static let metadataKey = "__metadata__"

  // MARK: Writing

  /// Orders tensors as the safetensors library does: widest types first, then by name, without gaps.
  init(laying descriptions: [TensorDescription], metadata: [String: String]) {
    let ordered = descriptions.sorted {
      $0.type.rank == $1.type.rank
        ? $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) : $0.type.rank > $1.type.rank
    }
    var end = 0
    var places: [Place] = []
    for description in ordered {
      precondition(description.name != Self.metadataKey, "\(Self.metadataKey) cannot be a tensor's name")
      guard let size = description.byteCount, !end.addingReportingOverflow(size).overflow else {
        preconditionFailure("\(description.name): shape \(description.shape) does not fit in memory")
      }
      places.append(Place(description: description, bytes: end..<(end + size)))
      end += size
    }
    for (a, b) in zip(places, places.dropFirst()) {
      precondition(a.description.name != b.description.name, "two tensors are called \(a.description.name)")
    }
    self.places = places
    self.metadata = metadata
  }

  /// Length, JSON, and blanks up to a multiple of 8.
  var encoded: [UInt8] {
    var object = JSONObject()
    if !metadata.isEmpty {
      let sorted = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      object[Self.metadataKey] = .object(JSONObject(sorted.map { ($0.key, .string($0.value)) }))
    }
    for place in places {
      object[place.description.name] = [
        "dtype": .string(place.description.type.rawValue),
        "shape": .array(place.description.shape.map { .integer($0) }),
        "data_offsets": [.integer(place.bytes.lowerBound), .integer(place.bytes.upperBound)],
      ]
    }
    var text = Array(JSON.object(object).compact.utf8)
    text += Array(repeating: UInt8(ascii: " "), count: -text.count & 7)
    return withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text
  }
}
