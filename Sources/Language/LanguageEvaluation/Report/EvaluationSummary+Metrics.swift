import Reports

extension EvaluationSummary {
  /// - Parameter leading: the name of the policy that the evaluation is about.
  init(_ metrics: TextMetrics, leading: String) {
    self.init(
      rho: metrics.rho, tokens: metrics.extent.tokens,
      policies: metrics.policies.map { policy in
        Policy(
          name: policy.name, robustLoss: policy.robustLoss, tokenPerplexity: policy.tokenPerplexity,
          bitsPerByte: policy.bitsPerByte, meanTemperature: policy.temperature.mean,
          gapClosed: metrics.meaningfulGapClosed(by: policy)?.estimate, brier: policy.brier,
          expectedCalibrationError: policy.calibration.expectedError)
      }, leading: leading)
  }
}
