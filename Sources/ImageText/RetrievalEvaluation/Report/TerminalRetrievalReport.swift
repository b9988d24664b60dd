extension RetrievalReport {
  /// The report that a person reads on the terminal.
  public var text: String {
    let tables = RetrievalTables(report: self)
    let recalls = study.tests.map { set in
      let table = tables.recalls(on: set)
      return "\(table.title)\n\(table.text)"
    }
    return (recalls + [missingNote ?? "", findings.joined(separator: "\n"), headline]).filter { !$0.isEmpty }.joined(
      separator: "\n\n")
  }
}
