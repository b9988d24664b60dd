import Configuration

/// The parameters that a training stage publishes.
public enum ResultChoice: String, CaseIterable, Sendable {
  /// Those of the validated step with the lowest loss.
  case best
  case last
}

/// The course of a run, whatever is trained.
public struct LoopSettings: Equatable, Sendable {
  public var steps: Int
  public var seed: Int
  /// The learning rates are those of the task's groups; the other settings apply to all groups. Each group's gradient
  /// is clipped by itself, so that the spikes of one network do not slow another down.
  public var optimiser: OptimiserOptions
  /// Steps between validations; the last step is always followed by one.
  public var validationInterval: Int
  /// Steps between lines of the metrics. Each line holds the means since the line before.
  public var logInterval: Int
  public var selection: ResultChoice
  /// Not part of the result's identity.
  public var run: RunOptions
  /// Steps between checks that losses and gradients are finite. Not part of the result's identity.
  public var checkInterval: Int
  /// The number of lanes that a step's micro-batches are dealt to. It decides the order of additions, whatever the
  /// number of processes.
  public var lanes: Int

  public init(
    steps: Int, seed: Int, optimiser: OptimiserOptions = OptimiserOptions(), validationInterval: Int = 100,
    logInterval: Int = 10, selection: ResultChoice = .best, run: RunOptions = RunOptions(), checkInterval: Int = 1,
    lanes: Int = 1
  ) {
    self.steps = steps
    self.seed = seed
    self.optimiser = optimiser
    self.validationInterval = validationInterval
    self.logInterval = logInterval
    self.selection = selection
    self.run = run
    self.checkInterval = checkInterval
    self.lanes = lanes
  }
}

extension ConfigurationReader {
  /// The lanes of a step. A value of 1 does not enter the key, because keys of earlier versions lack it.
  public mutating func lanes() throws -> Int {
    let lanes = try integer(
      "lanes", default: 1, in: 1...1024,
      help: "parts of a step whose gradients are summed in a fixed tree; so many processes can share a run at most")
    if lanes == 1 { leaveOut("lanes") }
    return lanes
  }
}
