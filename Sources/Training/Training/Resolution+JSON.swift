import JSON
import Torch

extension Resolution {
  /// What artifacts and checkpoints record.
  public var json: JSON { .object(JSONObject(record.map { ($0.name, .string($0.value)) })) }
}
