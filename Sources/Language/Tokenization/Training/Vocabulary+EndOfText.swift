extension Vocabulary {
  /// A vocabulary that was trained here, with the mark that closes texts moved from the first id to the last.
  ///
  /// - Throws: as `init`.
  public var withEndOfTextLast: Vocabulary {
    get throws {
      precondition(endOfText == 0 && specials.count == 1 && added.isEmpty, "a vocabulary that was trained here")
      let last = Int32(size - 1)
      let mark = Added(id: last, content: specials[0].content, matching: specials[0].matching)
      return try Vocabulary(
        tokens: Array(tokens.dropFirst()) + [tokens[0]],
        merges: merges.map { Merge(left: $0.left - 1, right: $0.right - 1, merged: $0.merged - 1) },
        specials: [mark], inModel: [last], source: "the trained vocabulary")
    }
  }
}
