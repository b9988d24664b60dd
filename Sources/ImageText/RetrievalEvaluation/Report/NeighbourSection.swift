import Diagnostics
import Pages
import Pairs

/// What some pictures and captions find first.
struct NeighbourSection {
  let report: RetrievalReport

  var content: [HTML] {
    guard !report.examples.isEmpty else { return [] }
    return [
      .paragraph(
        "Queries evenly spread over the split and what the model finds first, the best match on the left, with its "
          + "similarity. Own ones, which belong to the query, are marked. Every picture stands with its source and licence."
      )
    ] + (report.gallery.hiddenNote(pictures).map { [.paragraph($0)] } ?? []) + report.examples.flatMap(content)
  }

  /// The positions of all pictures in the section.
  private var pictures: [Int] {
    report.examples.flatMap { examples in
      examples.examples.flatMap { example in
        examples.direction == .imageToText ? [example.query] : example.found.map(\.position)
      }
    }
  }

  private func content(_ examples: NeighbourExamples) -> [HTML] {
    [.heading("\(examples.direction.words.capitalised) on \(examples.split.name), \(examples.run)")]
      + examples.examples.map { example in
        switch examples.direction {
        case .imageToText:
          .shelf(
            [report.gallery.card(example.query)],
            .list(example.found.map { "\(text($0.position)) (\(mark($0)))" }))
        case .textToImage:
          .shelf(
            [.textCard(text(example.query))] + example.found.map { report.gallery.card($0.position, note: mark($0)) })
        }
      }
  }

  private func text(_ caption: Int) -> String { report.gallery.table.captions[caption].text }

  private func mark(_ found: NeighbourExamples.Found) -> String {
    "\(found.isOwn ? "own, " : "")\(fixed(Double(found.score), digits: 3))"
  }
}
