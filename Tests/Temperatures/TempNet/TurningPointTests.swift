import Foundation
import TempNet
import Testing

@Suite struct TurningPointTests {
  /// The entropies that the published code computes for one model (StigLidu/TURN `MATH/turning_point.py`) up to temperature 1,
  /// continued upwards; its function finds 0.6 with them.
  @Test func `the turning point is where the logarithm of the entropy first bends upwards`() {
    let published = [0.0275, 0.0592, 0.09405, 0.1346, 0.1754, 0.2293, 0.2907, 0.4100, 0.5574, 0.8995]
    let entropies = published + [1.4, 2.1, 3.0, 4.0]
    #expect(TurningPoint.temperature(entropies: entropies) == 0.6)
  }

  @Test func `a curve that never bends upwards turns at the last inner temperature`() {
    let entropies = TurningPoint.temperatures.map { exp(-($0 - 2) * ($0 - 2)) }
    #expect(TurningPoint.temperature(entropies: entropies) == 1.3)
  }
}
