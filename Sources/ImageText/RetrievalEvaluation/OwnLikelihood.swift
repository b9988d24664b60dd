import Glibc
import Statistics
import TempNet

/// How likely a direction's queries find their own candidates by the probabilities softmax(scale · s / τ), and whether
/// these probabilities mean what they say.
///
/// Equal candidates are one alternative. The probability of an own candidate is the sum over all own ones.
public struct OwnLikelihood: Equatable, Sendable {
  /// Of each query with an own candidate: the negative logarithm of its own candidates' probability, in nats.
  public let losses: [Float]
  /// The mean of `losses`.
  public let meanLoss: Double
  /// The likeliest candidate's probability against how often it is an own one.
  public let calibration: Calibration
}

/// The alternatives of one direction.
public struct Alternatives: Sendable {
  private let scores: ScoreTable
  private let own: [[Int]]
  /// Candidates that no earlier one equals.
  private let distinct: [Int]
  /// Whether a query counts; those without own candidates do not.
  private let scale: Double

  /// - Parameters:
  ///   - candidates: the side that is searched in.
  ///   - own: for each query the indices of its own candidates.
  ///   - scale: the model's own factor between scores and logits; temperatures are multiples of its inverse.
  public init(_ scores: ScoreTable, candidates: RetrievalSet.Candidates, own: [[Int]], scale: Double) {
    self.scores = scores
    self.own = own.map { own in own.filter { candidates.first[$0] == $0 } }
    distinct = candidates.first.indices.filter { candidates.first[$0] == $0 }
    self.scale = scale
  }

  /// - Parameter temperatures: for each query, 1 being the model's own; all positive.
  public func likelihood(at temperatures: (Int) -> Double) -> OwnLikelihood {
    var losses: [Float] = []
    var confidence: [Float] = []
    var isCorrect: [Bool] = []
    scores.forEachQuery { query, row in
      guard !own[query].isEmpty else { return }
      let softmax = Softmax(row, distinct, factor: scale / temperatures(query))
      losses.append(Float(-softmax.logProbability(of: own[query], in: row)))
      confidence.append(Float(softmax.greatestProbability))
      isCorrect.append(own[query].contains(softmax.likeliest))
    }
    return OwnLikelihood(
      losses: losses, meanLoss: losses.reduce(0) { $0 + Double($1) } / Double(losses.count),
      calibration: Calibration(confidence: confidence, isCorrect: isCorrect))
  }

  /// The one temperature with the greatest likelihood, a multiple of the model's own.
  public func bestTemperature(in bounds: ClosedRange<Double>, tolerance: Double = 1e-4) -> Double {
    Self.bestTemperature(of: [self], in: bounds, tolerance: tolerance)
  }

  /// The one temperature at which the mean loss, averaged over several directions, is least.
  public static func bestTemperature(
    of directions: [Alternatives], in bounds: ClosedRange<Double>, tolerance: Double = 1e-4
  ) -> Double {
    SingleTemperature.minimiser(in: bounds, tolerance: tolerance) { tau in
      directions.reduce(0) { $0 + $1.slope(at: tau) }
    }
  }

  /// The derivative of the mean loss at one temperature, times that temperature: the mean logit of the own candidates less
  /// that of all.
  private func slope(at tau: Double) -> Double {
    let factor = scale / tau
    var (slope, count) = (0.0, 0)
    scores.forEachQuery { query, row in
      guard !own[query].isEmpty else { return }
      count += 1
      slope +=
        Softmax(row, own[query], factor: factor).meanLogit(row, own[query])
        - Softmax(row, distinct, factor: factor).meanLogit(row, distinct)
    }
    return slope / Double(max(1, count))
  }
}

/// The softmax of some of a row's scores times a factor.
private struct Softmax {
  let likeliest: Int
  private let factor: Double
  private let largest: Double
  /// Of the exponentials less the largest exponent.
  private let total: Double

  init(_ row: UnsafeBufferPointer<Float>, _ members: [Int], factor: Double) {
    var best = members[0]
    for index in members where row[index] > row[best] { best = index }
    let largest = Double(row[best]) * factor
    var total = 0.0
    for index in members { total += exp(Double(row[index]) * factor - largest) }
    (likeliest, self.factor, self.largest, self.total) = (best, factor, largest, total)
  }

  var greatestProbability: Double { 1 / total }

  func logProbability(of members: [Int], in row: UnsafeBufferPointer<Float>) -> Double {
    let own = Softmax(row, members, factor: factor)
    return own.largest + log(own.total) - largest - log(total)
  }

  /// The logits' mean, each weighted by its probability.
  func meanLogit(_ row: UnsafeBufferPointer<Float>, _ members: [Int]) -> Double {
    var sum = 0.0
    for index in members {
      let logit = Double(row[index]) * factor
      sum += exp(logit - largest) * logit
    }
    return sum / total
  }
}
