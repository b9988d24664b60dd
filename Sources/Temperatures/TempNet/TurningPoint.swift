import Glibc

/// TURN's temperature: where the logarithm of the mean entropy, as a function of the temperature, first bends upwards
/// (arXiv 2502.05234; StigLidu/TURN `predict.py`). The published code takes the entropies from texts that it samples at each
/// temperature; here they are those of the predictions along a given text.
public enum TurningPoint {
  /// The temperatures of the published search.
  public static let temperatures = (1...14).map { Double($0) / 10 }

  /// - Parameter entropies: the mean entropy in nats at each of ``temperatures``, above 0.
  public static func temperature(entropies: [Double]) -> Double {
    precondition(entropies.count == temperatures.count, "one entropy for each temperature")
    let slope = gradient(entropies.map { log($0) })
    let bend = gradient(slope)
    let inner = temperatures.indices.dropFirst().dropLast()
    return temperatures[inner.first { bend[$0] > 0 } ?? inner.last!]
  }

  /// Central differences, one-sided at the ends, as `numpy.gradient` has them.
  private static func gradient(_ values: [Double]) -> [Double] {
    values.indices.map { index in
      let (low, high) = (max(index - 1, 0), min(index + 1, values.count - 1))
      return (values[high] - values[low]) / (temperatures[high] - temperatures[low])
    }
  }
}
