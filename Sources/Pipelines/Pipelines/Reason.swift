import Artifacts
import JSON
import StageDescriptions

/// The reason why a stage runs, in words.
enum Reason {
  /// All differences between a stage now and when it last had a result; the most important first.
  static func differences(from old: JSON, to new: StageIdentity) -> [String] {
    let now = new.dependencies
    if let was = old["stage"]?.stringValue, was != new.stage { return ["it ran \(was), now runs \(new.stage)"] }
    let versions = [
      ("stageVersion", "version of the stage \(new.stage)"), ("formatVersion", "format of the artifact"),
    ].compactMap { member, name -> String? in
      guard let was = old[member]?.intValue, let now = now[member]?.intValue, was != now else { return nil }
      return "\(name) was \(was), is \(now)"
    }
    let configuration = new.configuration.differences(from: old["configuration"] ?? [:], at: "configuration")
    return versions + configuration.map(text) + inputDifferences(from: old["inputs"]?.arrayValue ?? [], to: new.inputs)
  }

  private static func inputDifferences(from old: [JSON], to new: [InputReference]) -> [String] {
    func name(_ reference: InputReference) -> String {
      reference.kind == RawInput.kind ? "file \(reference.name)" : "input \(reference.name)"
    }
    let old = old.compactMap { json -> InputReference? in
      guard let name = json["name"]?.stringValue, let kind = json["kind"]?.stringValue,
        let key = json["key"]?.stringValue
      else { return nil }
      return InputReference(name: name, kind: kind, key: key)
    }
    let changed = new.filter { !old.contains($0) }.map { reference in
      "\(name(reference)) \(old.contains { $0.name == reference.name } ? "changed" : "is new")"
    }
    let gone = old.filter { was in !new.contains { $0.name == was.name } }.map { "\(name($0)) is gone" }
    return changed + gone + (changed.isEmpty && gone.isEmpty && old != new ? ["the order of inputs changed"] : [])
  }

  private static func text(_ difference: JSONDifference) -> String {
    switch (difference.old, difference.new) {
    case (let old?, let new?): "\(difference.path) was \(shown(old)), is \(shown(new))"
    case (nil, let new?): "\(difference.path) is new: \(shown(new))"
    case (let old?, nil): "\(difference.path) was \(shown(old)), is gone"
    case (nil, nil): difference.path
    }
  }

  /// A value as its file has it: numbers without an empty fraction, words without quotation marks.
  private static func shown(_ value: JSON) -> String {
    switch value {
    case .string(let text): text
    case .number(let number) where number == number.rounded() && abs(number) < 1e15: "\(Int(number))"
    default: value.canonical
    }
  }
}
