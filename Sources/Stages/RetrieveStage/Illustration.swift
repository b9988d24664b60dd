import Artifacts
import Diagnostics
import Files
import Glibc
import JSON
import Pairs
import Reports
import RetrievalEvaluation
import StageDescriptions
import Torch

/// What a report shows of the leading model beside figures: neighbours, temperatures, pictures, where all comes from.
struct Illustration {
  private let request: StageRequest<Retrieve>
  private let models: Models
  private let tempnets: FittedTempNets
  private let sets: [RetrievalSet]
  private let resolution: Resolution
  private var configuration: RetrieveConfiguration { request.configuration }

  init(
    _ request: StageRequest<Retrieve>, _ models: Models, _ tempnets: FittedTempNets, _ sets: [RetrievalSet],
    _ resolution: Resolution
  ) {
    (self.request, self.models, self.tempnets) = (request, models, tempnets)
    (self.sets, self.resolution) = (sets, resolution)
  }

  func report(_ study: RetrievalStudy) throws -> RetrievalReport {
    let leading = study.leading.runs[0]
    let pairs = try openPairs()
    var gallery = Gallery(models.table, configuration.pictures, pairs: pairs)
    let examples = try examples(leading, study, gallery)
    let temperatures = try temperatures(leading, study)
    try gallery.load(shown(examples, temperatures))
    return RetrievalReport(
      study, configuration.comparisonSettings, temperatures: temperatures, examples: examples, gallery: gallery,
      missingTests: missingTests, context: try context(pairs))
  }

  /// Tests that the configuration of the pairs asks for, and that have no picture.
  private var missingTests: [PairSplit] {
    guard let configuration = request.inputs.optionalArtifact("pairs")?.manifest.configuration else { return [] }
    let usual = (configuration["test"]?.doubleValue ?? 0) > 0 ? [PairSplit.test] : []
    let named = (configuration["held_out"]?.arrayValue ?? []).flatMap { test in
      (test.objectValue ?? [:]).map { PairSplit($0.key) }
    }
    return (usual + named).filter { !models.table.splits.contains($0) }
  }

  /// What queries of a run find first, on every test.
  private func examples(_ run: Int, _ study: RetrievalStudy, _ gallery: Gallery) throws -> [NeighbourExamples] {
    guard configuration.examples > 0 else { return [] }
    let embeddings = try models.embeddings(run)
    return study.tests.flatMap { set in
      let measurement = Measurement(embeddings, set)
      return RetrievalDirection.allCases.map { direction in
        NeighbourExamples(
          measurement.scores(direction), of: set, direction: direction, run: study.runs[run].name.description,
          queries: exampleQueries(set, direction, gallery), depth: configuration.neighbours)
      }
    }
  }

  /// The temperatures of the leading run, and of runs with TempNets, on every test.
  private func temperatures(_ leading: Int, _ study: RetrievalStudy) throws -> [TemperatureStudy] {
    let runs = [leading] + tempnets.runs.filter { $0 != leading }
    return try runs.flatMap { run in
      let embeddings = try models.embeddings(run)
      let name = study.runs[run].name.description
      return study.tests.flatMap { set in
        let measurement = Measurement(embeddings, set)
        return RetrievalDirection.allCases.flatMap { direction in
          let own = tempnets.of(run: run).filter { $0.direction == direction }
          return temperatureStudies(measurement, direction, name, own)
        }
      }
    }
  }

  private func openPairs() throws -> PairsArtifact? {
    guard let artifact = request.inputs.optionalArtifact("pairs") else { return nil }
    let pairs = try PairsArtifact(artifact)
    guard pairs.table == models.table else {
      throw Failure(.badData, "holds other pairs than those that were embedded", at: artifact.path)
    }
    return pairs
  }

  /// Queries evenly spread over the side; of pictures those that may be shown, if any may.
  private func exampleQueries(_ set: RetrievalSet, _ direction: RetrievalDirection, _ gallery: Gallery) -> [Int] {
    let side = set.sides(direction).asking
    var candidates = Array(side.positions.indices)
    if direction == .imageToText {
      let visible = candidates.filter { gallery.mayShow(side.positions[$0]) }
      if !visible.isEmpty { candidates = visible }
    }
    let count = min(configuration.examples, candidates.count)
    return (0..<count).map { candidates[($0 * 2 + 1) * candidates.count / (2 * count)] }
  }

  /// The exact temperatures, by the first TempNet's budget if there is one, and those of TempNets. None where so few
  /// candidates leave no room for a budget.
  private func temperatureStudies(
    _ measurement: Measurement, _ direction: RetrievalDirection, _ run: String, _ tempnets: [FittedTempNets.Member]
  ) -> [TemperatureStudy] {
    let (asking, searched) = measurement.set.sides(direction)
    let negatives = NegativeCandidates(measurement.scores(direction), candidates: searched, own: asking.own)
    let fewest = Double(negatives.count - (asking.own.map(\.count).max() ?? 0))
    guard fewest > 1 else { return [] }
    let rho = configuration.rho ?? tempnets.first?.network.settings.rho ?? log(fewest) - Self.defaultEntropy
    guard rho > 0, rho < log(fewest) else { return [] }
    let (frequencies, near) = (frequencies(of: asking, direction), negatives.nearCounts())
    func study(_ policy: String, rho: Double, _ temperatures: [Float]) -> TemperatureStudy {
      TemperatureStudy(
        run: run, split: measurement.set.split, direction: direction, policy: policy, rho: rho,
        temperatures: temperatures, frequencies: frequencies, near: near)
    }
    let exact = negatives.exactTemperatures(
      rho: rho, scale: measurement.embeddings.logitScale.value, in: configuration.temperatureBounds)
    return tempnets.map { study($0.name, rho: $0.network.settings.rho, measurement.temperatures($0)) }
      + [study("exact", rho: rho, exact)]
  }

  /// How many training pictures show the concept of each query.
  private func frequencies(of asking: RetrievalSet.Candidates, _ direction: RetrievalDirection) -> [Float] {
    let table = models.table
    var frequencies: [String: Int] = [:]
    for picture in table.pictures where picture.split == .train {
      if let concept = picture.concept { frequencies[concept, default: 0] += 1 }
    }
    return asking.positions.map { position in
      let picture = direction == .imageToText ? position : table.captions[position].picture
      return Float(table.pictures[picture].concept.map { frequencies[$0, default: 0] } ?? 0)
    }
  }

  /// In nats: the same as the default of training, `ln(B - 1) - 3`.
  private static let defaultEntropy = 3.0

  /// The pictures that examples and extremes name.
  private func shown(_ examples: [NeighbourExamples], _ temperatures: [TemperatureStudy]) -> [Int] {
    let ofExamples = examples.flatMap { examples in
      examples.examples.flatMap { example in
        examples.direction == .imageToText ? [example.query] : example.found.map(\.position)
      }
    }
    let extremes = temperatures.filter { $0.direction == .imageToText }.flatMap { study in
      study.extremes.map { query in sets.first { $0.split == study.split }!.pictures.positions[query] }
    }
    return ofExamples + extremes
  }

  private func context(_ pairs: PairsArtifact?) throws -> ReportContext {
    let identity = request.identity([:])
    let artifacts = Retrieve.inputs.flatMap { request.inputs.artifacts($0.name) }
    let sources = try request.inputs.optionalArtifact("pairs").flatMap { try pairs?.sources($0) } ?? []
    return ReportContext(
      facts: [
        ReportContext.Fact("captions", configuration.captions.rawValue),
        ReportContext.Fact("equal captions and pictures", configuration.isMerged ? "take part once" : "all take part"),
      ] + resolution.record.map { ReportContext.Fact($0.name.replacing("_", with: " "), $0.value) },
      inputs: identity.inputs.map { input in
        let files = artifacts.first { $0.key == input.key }?.manifest.files
        return ReportContext.Input(
          name: input.name, kind: input.kind, key: input.key, bytes: files?.reduce(0) { $0 + $1.size })
      },
      sources: sources.map { source in
        ReportContext.Source(
          name: source.title ?? source.name, licence: source.licence ?? "not stated",
          origin: source.origin ?? "not stated")
      }, configuration: identity.configuration)
  }
}
