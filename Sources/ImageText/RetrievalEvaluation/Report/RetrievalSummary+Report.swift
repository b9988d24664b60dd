import Reports

extension RetrievalSummary {
  public init(_ report: RetrievalReport) {
    let study = report.study
    let (leading, reference) = (study.leading, study.references.first)
    self.init(
      leading: leading.name, reference: reference?.name, runs: study.runs.count,
      splits: study.tests.map { set in
        func recall(_ arm: RetrievalStudy.Arm) -> Double {
          let values = study.values(.meanRecall, of: arm, on: set.split)
          return values.reduce(0, +) / Double(values.count)
        }
        let comparison = report.headComparisons.first {
          $0.split == set.split && $0.arm == leading.name && $0.reference == reference?.name
        }
        return Split(
          name: set.split.name, pictures: set.pictures.count, captions: set.captions.count, meanRecall: recall(leading),
          referenceRecall: reference.map(recall), difference: comparison?.overSeeds.estimate,
          verdict: comparison?.verdict.rawValue)
      }, headline: report.headline)
  }
}
