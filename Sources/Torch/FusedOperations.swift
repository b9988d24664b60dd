/// Operators of our own, registered with libtorch's dispatcher under `tempnet::`, for work that its operators would do in
/// many passes over memory. Beside each stands, where it is used, the same in plain tensor code.

extension Tensor {
  /// What `TemperatureProfile` tabulates of logits, float32 [N, V] on the CPU; each result is float32 [N, M].
  ///
  /// - Parameters:
  ///   - temperatures: M of them, that rise with `perOctave` to the factor of two.
  public func temperatureProfile(
    at temperatures: [Double], perOctave: Int
  ) -> (value: Tensor, entropy: Tensor, variance: Tensor) {
    let tables = Operator.must(
      "tempnet::temperature_profile", "",
      [.tensor(self), .tensor(Tensor(temperatures, shape: [temperatures.count])), .integer(perOctave)])
    return (tables[0], tables[1], tables[2])
  }

  /// What `TemperedStatistics` is made of, for logits, float32 [N, V] on the CPU; each result is float64 [N].
  ///
  /// - Parameter tau: float64 [N].
  public func temperedMoments(
    tau: Tensor
  ) -> (logPartition: Tensor, mean: Tensor, variance: Tensor, collision: Tensor) {
    let moments = Operator.must("tempnet::tempered_moments", "", [.tensor(self), .tensor(tau)])
    return (moments[0], moments[1], moments[2], moments[3])
  }
}
