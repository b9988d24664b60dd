import Artifacts
import Diagnostics
import JSON

/// The model card of a dual encoder.
struct DualEncoderCard {
  let source: DualEncoderSource
  let form: any DualEncoderForm
  /// Whether the encoder's TempNets are among the exported files.
  let holdsTempNets: Bool

  private var summary: JSON { source.artifact.summary }

  /// `README.md`.
  ///
  /// - Parameter use: Markdown that shows how the files are used.
  func text(_ use: String) -> String {
    [introduction, "## Use\n\n\(use)", scale, inputs, training, results, data, origin]
      .joined(separator: "\n")
  }

  private var introduction: String {
    """
    # An encoder of pictures and captions

    \(form.introduction)

    """
  }

  private var scale: String {
    let tempnets =
      holdsTempNets
      ? " Its TempNets (`EmbeddingTempNet` of `dual_encoder.py`) predict a temperature for each picture and each caption, "
        + "which then takes the place of the scale." : ""
    return """
      ## Temperature

      \(source.scale.sentence)\(tempnets)

      """
  }

  private var inputs: String {
    """
    ## Pictures and captions

    \(form.inputs)

    """
  }

  private var training: String {
    let configuration = source.artifact.manifest.configuration
    let rows: [(String, String?)] = [
      ("loss", configuration["loss"]?.stringValue.map { "`\($0)`" }),
      ("training pictures", summary["training_pictures"]?.intValue.map(String.init)),
      ("pairs per step", summary["batch"]?.intValue.map(String.init)),
      ("steps, of which the best on validation was taken", summary["steps"]?.intValue.map(String.init)),
      ("seed", configuration["seed"]?.intValue.map(String.init)),
      ("rho, nats", summary["rho"]?.doubleValue.map { readable($0, digits: 4) }),
      (
        "mean recall on validation, %",
        summary["validation"]?["mean_recall"]?.doubleValue.map { readable(100 * $0, digits: 2) }
      ),
    ]
    let known = rows.compactMap { name, value in value.map { "| \(name) | \($0) |" } }
    guard !known.isEmpty else { return "## Training\n\nHow it was trained is not recorded.\n" }
    return """
      ## Training

      | | |
      |---|---|
      \(known.joined(separator: "\n"))

      """
  }

  private var results: String {
    source.evaluation == nil
      ? "" : "## Results\n\nRetrieval on tests that nothing was chosen on is in `metrics.json` and `report.html`.\n"
  }

  private var data: String {
    guard let sources = source.pairs?.sources, !sources.isEmpty else {
      return "## Data\n\nThe sources of the pairs are not stated.\n"
    }
    let rows = sources.map { source in
      "| \(cell(source.title ?? source.name)) | \(cell(source.licence ?? "not stated")) | \(cell(source.origin ?? "")) |"
    }
    return """
      ## Data

      | pictures and captions | licence | source |
      |---|---|---|
      \(rows.joined(separator: "\n"))

      """
  }

  private var origin: String {
    """
    ## Origin

    Written by tempnet \(Release.version). Key of the dual encoder: `\(source.artifact.key)`\
    \(source.evaluation.map { "; of its measurements: `\($0.key)`" } ?? "").

    """
  }

  /// Text that cannot end a cell or a row of a table.
  private func cell(_ text: String) -> String {
    String(text.map { $0 == "|" ? "/" : $0.isNewline ? " " : $0 })
  }
}
