/// Items in PIQA's fields of sentences like the corpus's, as JSON lines.
func choices(_ count: Int) -> String {
  let sentences = corpus(sentences: 3 * count, seed: 7).split(whereSeparator: { ".!\n".contains($0) })
    .map { $0.drop { $0 == " " }.prefix { $0 != "," && $0 != ";" } }.filter { !$0.isEmpty }
  return (0..<count).map { index in
    let texts = sentences[(3 * index)..<(3 * index + 3)].map { "\"\($0)\"" }
    return #"{"goal": \#(texts[0]), "sol1": \#(texts[1]), "sol2": \#(texts[2]), "label": \#(index % 2)}"#
  }.joined(separator: "\n")
}

/// Sentences that look English, always the same, regular enough for a tiny model to learn from in seconds.
func corpus(sentences: Int, seed: UInt64 = 1) -> String {
  let subjects = ["the parson", "her sister", "a captain", "Miss Grey", "the old house", "my aunt"]
  let verbs = ["admired", "could not forget", "wrote of", "was fond of", "walked towards", "spoke to"]
  let objects = ["the garden", "an excellent dinner", "the ball", "his fortune", "every letter", "the rain"]
  let closings = [".", ", and was happy.", "; nobody wondered.", ", which surprised them all.", "!"]
  var state = seed
  func pick(_ words: [String]) -> String {
    // Knuth's multiplier for linear congruential generators of 64 bits (MMIX); the high bits are the random ones.
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return words[Int((state >> 33) % UInt64(words.count))]
  }
  var text = ""
  for number in 1...sentences {
    text += "\(pick(subjects)) \(pick(verbs)) \(pick(objects))\(pick(closings))"
    text += number.isMultiple(of: 8) ? "\n\n" : " "
  }
  return text
}
