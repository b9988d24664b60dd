/// Takes the documents of a corpus one after the other, each as a stream of bytes.
public protocol DocumentReceiver<Label>: AnyObject {
  /// What is known of a document's split.
  associatedtype Label

  func begin(_ label: Label) throws
  /// The next bytes of the document that was begun, cut anywhere.
  func append(_ bytes: UnsafeBufferPointer<UInt8>) throws
  func end() throws
}
