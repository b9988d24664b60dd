/// Receives the documents of a corpus one after the other, each as a stream of bytes.
public protocol DocumentReceiver<Label>: AnyObject {
  /// `Split`, or `Split?` for documents whose split is not decided.
  associatedtype Label

  func begin(_ label: Label) throws
  /// The next bytes of the open document; they may begin or end inside a character.
  func append(_ bytes: UnsafeBufferPointer<UInt8>) throws
  func end() throws
}
