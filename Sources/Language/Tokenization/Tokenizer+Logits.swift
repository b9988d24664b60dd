import Diagnostics

extension Tokenizer {
  /// Checks that a model has a logit for every id of this tokenizer, which is its own.
  ///
  /// - Throws: `Failure` with `.badData` at the model's path.
  public func checkLogits(_ logits: Int, ofModel path: String) throws {
    try Self.checkLogits(logits, ofModel: path, ids: vocabularySize, of: "its tokenizer")
  }

  /// Checks that a model has a logit for every id: an id without a row of the embedding would be read beyond its end. More
  /// logits than ids may be padding.
  ///
  /// - Parameter owner: the source of the ids.
  /// - Throws: `Failure` with `.badData` at the model's path.
  static func checkLogits(_ logits: Int, ofModel path: String, ids: Int, of owner: String) throws {
    guard logits >= ids else {
      throw Failure(.badData, "has \(logits) logits, too few for the \(ids) ids of \(owner)", at: path)
    }
  }
}
