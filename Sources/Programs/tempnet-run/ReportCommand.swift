import ArgumentParser
import Pipelines

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write a page on all runs of the store: times, states, results side by side.",
    discussion: "The page is index.html in the store; its path is printed.")

  @OptionGroup var options: StoreOptions

  func run() throws { print(try StoreReport(Store(options.store)).write()) }
}
