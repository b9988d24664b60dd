import Diagnostics
import JSON

/// The content of `metrics.jsonl`: numbers by section (`training`, `validation`, `learning_rate`, ...) and name, along
/// the steps.
public struct TrainingHistory: Sendable {
  struct Series: Equatable {
    let section: String
    let name: String
    var points: [Point]
  }

  struct Point: Equatable {
    let step: Int
    let value: Double
  }

  /// The trained network: `the model`.
  public let subject: String
  /// In the order in which they first occur.
  private(set) var series: [Series] = []

  /// - Throws: `.badData` that names the line. Values that are not numbers (`null` stands for what is not finite) are left
  ///   out.
  public init(of subject: String, parsing bytes: [UInt8], source: String) throws {
    self.subject = subject
    for (number, line) in zip(1..., bytes.split(separator: UInt8(ascii: "\n"))) {
      let json = try JSON(parsing: Array(line), source: "\(source):\(number)", for: .strict)
      guard let members = json.objectValue, let step = json["step"]?.intValue else {
        throw Failure(.badData, "is no object with an integer 'step'", at: "\(source):\(number)")
      }
      for (section, content) in members {
        for (name, value) in content.objectValue ?? [:] {
          guard let value = value.doubleValue, value.isFinite else { continue }
          add(Point(step: step, value: value), to: section, name)
        }
      }
    }
  }

  private mutating func add(_ point: Point, to section: String, _ name: String) {
    if let index = series.firstIndex(where: { $0.section == section && $0.name == name }) {
      series[index].points.append(point)
    } else {
      series.append(Series(section: section, name: name, points: [point]))
    }
  }

  func series(_ section: String, _ name: String) -> Series? {
    series.first { $0.section == section && $0.name == name }
  }
}

extension TrainingHistory.Series {
  /// Means over neighbouring points, so that at most this number remain.
  func thinned(to count: Int) -> [TrainingHistory.Point] {
    let size = (points.count + count - 1) / count
    guard size > 1 else { return points }
    return stride(from: 0, to: points.count, by: size).map { start in
      let group = points[start..<min(start + size, points.count)]
      return TrainingHistory.Point(
        step: group[group.endIndex - 1].step, value: group.reduce(0) { $0 + $1.value } / Double(group.count))
    }
  }
}
