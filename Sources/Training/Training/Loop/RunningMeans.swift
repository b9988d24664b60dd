import JSON
import Torch

/// Means of the measurements since the last line of the log.
///
/// Measurements stay on their device until the numbers are needed, so that no step waits for a GPU.
struct RunningMeans {
  private struct Step {
    let number: Int
    let weight: Int
    /// [measurements], float64.
    let sums: Tensor
    /// [groups], float64: norms of the gradients.
    let norms: Tensor
  }

  private let names: [String]
  private let groups: [String]
  private var waiting: [Step] = []
  private var sums: [Double]
  private var norms: [Double]
  private var weight = 0
  private var steps = 0

  init(names: [String], groups: [String]) {
    self.names = names
    self.groups = groups
    sums = Array(repeating: 0, count: names.count)
    norms = Array(repeating: 0, count: groups.count)
  }

  mutating func add(step: Int, _ measured: StepSums, norms: Tensor) {
    waiting.append(Step(number: step, weight: measured.weight, sums: measured.sums, norms: norms))
  }

  /// A measurement that is not finite.
  struct NotFinite: Error {
    let step: Int
    let name: String
    let value: Double
  }

  /// Reads the waiting measurements from their device.
  mutating func settle() throws(NotFinite) {
    for step in waiting {
      let (values, lengths) = (step.sums.doubles, step.norms.doubles)
      let all = zip(names, values).map { ($0, $1) } + zip(groups, lengths).map { ("gradient norm of \($0)", $1) }
      if let (name, value) = all.first(where: { !$0.1.isFinite }) {
        throw NotFinite(step: step.number, name: name, value: value)
      }
      for (index, value) in values.enumerated() { sums[index] += value }
      for (index, value) in lengths.enumerated() { norms[index] += value }
      weight += step.weight
      steps += 1
    }
    waiting = []
  }

  /// The means per item, and of the gradients' norms per step. Measurements have to be settled first.
  var means: (measured: Metrics, norms: Metrics) {
    precondition(waiting.isEmpty, "measurements have to be settled first")
    return (
      Metrics(zip(names, sums).map { (name: $0, value: $1 / Double(max(1, weight))) }),
      Metrics(zip(groups, norms).map { (name: $0, value: $1 / Double(max(1, steps))) })
    )
  }
}

// MARK: - Checkpoints

extension RunningMeans {
  var json: JSON {
    precondition(waiting.isEmpty, "measurements have to be settled first")
    return [
      "names": .array(names.map { .string($0) }), "sums": .array(sums.map { .number($0) }),
      "groups": .array(groups.map { .string($0) }), "norms": .array(norms.map { .number($0) }),
      "weight": .integer(weight), "steps": .integer(steps),
    ]
  }

  init?(_ json: JSON) {
    func list<Value>(_ key: String, _ read: (JSON) -> Value?) -> [Value]? {
      json[key]?.arrayValue.flatMap { array in
        let values = array.compactMap(read)
        return values.count == array.count ? values : nil
      }
    }
    guard let names = list("names", \.stringValue), let sums = list("sums", \.doubleValue),
      let groups = list("groups", \.stringValue), let norms = list("norms", \.doubleValue),
      let weight = json["weight"]?.intValue, let steps = json["steps"]?.intValue,
      names.count == sums.count, groups.count == norms.count
    else { return nil }
    (self.names, self.sums, self.groups, self.norms) = (names, sums, groups, norms)
    (self.weight, self.steps) = (weight, steps)
  }
}
