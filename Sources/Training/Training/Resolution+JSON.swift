import JSON
import Torch

extension Resolution {
  /// The form in artifacts and checkpoints.
  public var json: JSON { .object(JSONObject(record.map { ($0.name, .string($0.value)) })) }
}
