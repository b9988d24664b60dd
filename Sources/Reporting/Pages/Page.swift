/// A page that needs nothing beside it: no scripts, no fonts, no network. Pictures are data within it.
public struct Page: Sendable {
  public let title: String
  public let sections: [HTML]

  /// - Parameter title: for the window; headings are part of the sections.
  public init(title: String, sections: [HTML]) {
    self.title = title
    self.sections = sections
  }

  /// The file's text.
  public var text: String {
    let html: HTML = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
      <title>\(title)</title>
      <style>
      \(HTML(markup: pageStyle))</style>
      </head>
      <body>
      <main>
      \(sections.filter { !$0.isEmpty })
      </main>
      </body>
      </html>

      """
    return html.markup
  }
}
