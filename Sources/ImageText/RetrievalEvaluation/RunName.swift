import EncoderDescriptions
import JSON

/// What a run is called: its loss, the settings in which it differs from others of that loss, and its seed.
public struct RunName: Equatable, Sendable, CustomStringConvertible {
  /// The loss, of which several settings may have been tried: `clip`, `clip learned`, `sogclr`.
  public let family: String
  /// The family with the settings that differ within it: `clip temperature=0.05`.
  public let arm: String
  /// Nil for embeddings whose training is unknown.
  public let seed: Int?
  /// Whether it is CLIP at one temperature for all, and where that comes from.
  public let singleTemperature: LogitScale.Origin?

  public var description: String { seed.map { "\(arm), seed \($0)" } ?? arm }

  /// The names of several runs.
  ///
  /// - Parameter runs: for each the configuration that it was trained with, nil where that is unknown, and its scale.
  public static func all(_ runs: [(configuration: JSON?, scale: LogitScale)]) -> [RunName] {
    let settings: [[Setting]] = runs.map { run in run.configuration.map { Self.settings(of: $0) } ?? [] }
    let families: [String] = runs.indices.map { index in
      family(settings[index], scale: runs[index].scale) ?? "embeddings \(index + 1)"
    }
    return runs.indices.map { index in
      let own = families[index]
      let rivals = runs.indices.filter { families[$0] == own }.map { settings[$0] }
      let differing = settings[index].filter { setting in
        setting.key != lossKey && setting.key != seedKey && rivals.contains { !$0.contains { $0 == setting } }
      }
      let words = differing.map { "\($0.key)=\($0.text)" }
      return RunName(
        family: own, arm: ([own] + words).joined(separator: " "),
        seed: settings[index].first { $0.key == seedKey }.flatMap { Int($0.text) },
        singleTemperature: isCLIP(own) ? runs[index].scale.origin : nil)
    }
  }

  private static let (lossKey, seedKey, learned) = ("loss", "seed", "learned")

  private static func family(_ settings: [Setting], scale: LogitScale) -> String? {
    guard let loss = settings.first(where: { $0.key == lossKey })?.text else { return nil }
    return isCLIP(loss) && scale.origin == .learned && !loss.contains(learned) ? "\(loss) \(learned)" : loss
  }

  /// `clip`, `clip_learned` and the like.
  private static func isCLIP(_ loss: String) -> Bool {
    loss.split(whereSeparator: { " -_".contains($0) }).first == "clip"
  }

  private struct Setting: Equatable {
    let key: String
    let text: String
  }

  /// The plain values of a configuration, `a.b` for b within a.
  private static func settings(of configuration: JSON) -> [Setting] {
    (configuration.objectValue ?? [:]).flatMap { key, value -> [Setting] in
      if value.objectValue != nil {
        return settings(of: value).map { Setting(key: "\(key).\($0.key)", text: $0.text) }
      }
      return [Setting(key: key, text: value.stringValue ?? value.compact)]
    }
  }
}
