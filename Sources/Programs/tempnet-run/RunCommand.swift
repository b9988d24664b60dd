import ArgumentParser
import Diagnostics
import Pipelines

/// `tempnet-run PIPELINE`: prints the paths of reports and exports.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run what has to run (the default command).")

  @OptionGroup var options: PipelineOptions
  @OptionGroup var selection: SelectionOptions

  @Flag(help: "Say what would run and why, and run nothing.")
  var dryRun = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Run at most this many stages side by side; without it as many as the machine's cores and memory allow.",
      valueName: "n"))
  var jobs: String?

  @Flag(help: "Say nothing unless something fails.")
  var quiet = false

  func run() async throws {
    Log.setQuiet(quiet)
    let settings = try RunSettings(jobs: jobs)
    let workspace = try options.workspace()
    let plan = try workspace.plan(selection.selection)
    if dryRun { return print(plan.table) }
    try workspace.saveDigests()
    let runner = Runner(
      store: workspace.store,
      executor: try LocalExecutor.besideThisProgram(capacity: .ofThisMachine(jobs: settings.jobs)))
    if let record = try await runner.run(plan) {
      Log.note("\(plan.pipeline): done; logs and times are in \(record)")
    } else {
      Log.note("\(plan.pipeline): nothing to do, every result exists")
    }
    if !quiet { for path in try Workspace.deliverables(of: plan) { print(path) } }
  }
}
