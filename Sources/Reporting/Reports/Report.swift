import Pages

/// The frame of a report for people: a headline, the figures to be seen first, links to the sections, the sections.
public struct Report {
  public struct Section {
    public let title: String
    /// The target of links.
    public let id: String
    public let content: [HTML]

    /// - Parameter content: a section without content is left out, and its link with it.
    public init(_ title: String, id: String, _ content: [HTML]) {
      (self.title, self.id, self.content) = (title, id, content)
    }
  }

  /// For the window.
  public let title: String
  public let heading: String
  /// The result in one sentence.
  public let headline: String
  public let cards: [(figure: String, meaning: String)]
  public let sections: [Section]

  public init(
    title: String, heading: String, headline: String, cards: [(figure: String, meaning: String)], sections: [Section]
  ) {
    self.title = title
    self.heading = heading
    self.headline = headline
    self.cards = cards
    self.sections = sections.filter { !$0.content.isEmpty }
  }

  public var page: Page {
    let links: [HTML] = sections.map { .link($0.title, to: "#\($0.id)") }
    let head: HTML = """
      <h1>\(heading)</h1>
      <p class="lead">\(headline)</p>
      \(cards.isEmpty ? .empty : HTML.cards(cards))
      <nav aria-label="Sections">
      \(links)
      </nav>
      """
    return Page(title: title, sections: [head] + sections.map { .section($0.title, id: $0.id, HTML($0.content)) })
  }
}
