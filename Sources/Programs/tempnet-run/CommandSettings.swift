import Configuration

/// The numbers among the options of `run`, checked like the configurations of stages.
struct RunSettings: StageConfiguration {
  /// The most stages that run at one time.
  let jobs: Int

  init(reading reader: inout ConfigurationReader) throws {
    jobs = try reader.integer("jobs", default: .max, in: 1...Int.max, help: "stages that run side by side")
  }

  init(jobs: String?) throws {
    let given = ConfigurationOverride.number("jobs", jobs, from: "--jobs")
    self = try Self.resolve(file: nil, overrides: [given].compactMap { $0 }).values
  }
}

enum GraphFormat: String, CaseIterable, Sendable { case text, dot }

struct GraphSettings: StageConfiguration {
  let format: GraphFormat

  init(reading reader: inout ConfigurationReader) throws {
    format = try reader.choice("format", default: .text, help: "how to print the graph")
  }

  init(format: String) throws {
    let given = ConfigurationOverride.option("format", format, from: "--format")
    self = try Self.resolve(file: nil, overrides: [given].compactMap { $0 }).values
  }
}
