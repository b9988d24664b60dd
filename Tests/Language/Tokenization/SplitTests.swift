import Testing

@testable import Tokenization

/// Records the documents that it receives.
private final class Recorder: DocumentReceiver {
  private(set) var documents: [(split: Split, text: [UInt8])] = []
  private(set) var isOpen = false

  func begin(_ split: Split) {
    #expect(!isOpen)
    isOpen = true
    documents.append((split, []))
  }
  func append(_ bytes: UnsafeBufferPointer<UInt8>) { documents[documents.count - 1].text += bytes }
  func end() { isOpen = false }
}

@Suite struct SplitTests {
  private func feed(_ texts: [[UInt8]], _ receiver: some DocumentReceiver<Split?>, partSize: Int) throws {
    for text in texts {
      try receiver.begin(nil)
      for start in stride(from: 0, to: text.count, by: partSize) {
        try text[start..<min(start + partSize, text.count)].withUnsafeBufferPointer { try receiver.append($0) }
      }
      try receiver.end()
    }
  }

  private func split(
    _ texts: [[UInt8]], validation: Double, test: Double, partSize: Int = 100
  ) throws -> [(split: Split, text: [UInt8])] {
    let measurer = DocumentMeasurer()
    try feed(texts, measurer, partSize: partSize)
    let plan = SplitPlan(SplitFractions(validation: validation, test: test), of: measurer)
    let recorder = Recorder()
    try feed(texts, DocumentSplitter(plan, receiver: recorder), partSize: partSize)
    return recorder.documents.filter { !$0.text.isEmpty }
  }

  @Test func `cuts one document at line ends near the wanted places`() throws {
    let lines = (0..<1000).map { "line \($0) of the text\n" }.joined()
    for partSize in [1, 13, 4096, 1 << 20] {
      let parts = try split([Array(lines.utf8)], validation: 0.1, test: 0.2, partSize: partSize)
      #expect(parts.map(\.split) == [.train, .validation, .test])
      #expect(parts.flatMap(\.text) == Array(lines.utf8))
      #expect(parts.allSatisfy { $0.text.last == UInt8(ascii: "\n") })
      #expect(abs(parts[0].text.count - lines.utf8.count * 7 / 10) < 30)
      #expect(abs(parts[1].text.count - lines.utf8.count / 10) < 30)
    }
  }

  @Test func `cuts between documents if there are many`() throws {
    let texts = (0..<1000).map { Array("document \($0)".utf8) }
    let parts = try split(texts, validation: 0.05, test: 0.05)
    #expect(parts.map(\.text) == texts)
    #expect((899...901).contains(parts.count { $0.split == .train }))
    #expect((49...51).contains(parts.count { $0.split == .validation }))
    // Contiguous blocks in the order of the splits.
    #expect(
      parts.map(\.split)
        == parts.map(\.split).sorted { Split.allCases.firstIndex(of: $0)! < Split.allCases.firstIndex(of: $1)! })
  }

  @Test func `cuts a few documents inside`() throws {
    let texts = [String(repeating: "a\n", count: 500), String(repeating: "b\n", count: 500)].map { Array($0.utf8) }
    let parts = try split(texts, validation: 0.1, test: 0.1)
    #expect(parts.map(\.split) == [.train, .train, .validation, .test])
    #expect(parts.map(\.text.count) == [1000, 602, 200, 198])
  }

  @Test func `leaves out splits with a share of 0`() throws {
    let text = Array(String(repeating: "a\n", count: 500).utf8)
    #expect(try split([text], validation: 0, test: 0).map(\.split) == [.train])
    #expect(try split([text], validation: 0, test: 1).map(\.split) == [.test])
    #expect(try split([text], validation: 0, test: 0.5).map(\.split) == [.train, .test])
    #expect(try split([text], validation: 0.5, test: 0.5).map(\.split) == [.validation, .test])
  }

  @Test func `cuts text without line ends before a blank, and without blanks between scalars`() throws {
    let words = Array(String(repeating: "word ", count: 60_000).utf8)
    let parts = try split([words], validation: 0, test: 0.5)
    #expect(parts.count == 2)
    #expect(parts[1].text.first == UInt8(ascii: " "))

    let letters = Array(String(repeating: "漢", count: 60_000).utf8)
    let halves = try split([letters], validation: 0, test: 0.5, partSize: 7)
    #expect(halves.count == 2)
    #expect(halves.allSatisfy { $0.text.count % 3 == 0 })
    #expect(halves.flatMap(\.text) == letters)
  }

  @Test(arguments: [1, 13, 1 << 16], ["", "\n"])
  func `cuts a short text on one line before a blank too`(partSize: Int, ending: String) throws {
    let text = Array((String(repeating: "word ", count: 3399) + "word" + ending).utf8)
    let parts = try split([text], validation: 0.05, test: 0.05, partSize: partSize)
    #expect(parts.map(\.split) == [.train, .validation, .test])
    #expect(parts.flatMap(\.text) == text)
    #expect(parts.map(\.text.count).prefix(2) == [15304, 850])
    #expect(parts.dropFirst().allSatisfy { $0.text.first == UInt8(ascii: " ") })
    let letters = Array((String(repeating: "漢", count: 100) + ending).utf8)
    let halves = try split([letters], validation: 0, test: 0.5, partSize: partSize)
    #expect(halves.map(\.split) == [.train, .test] && halves[0].text.count % 3 == 0)
    // One scalar cannot be cut.
    #expect(try split([Array("a".utf8)], validation: 0.3, test: 0.3, partSize: partSize).count == 1)
  }

  @Test func `cuts in the last line only if nothing follows it`() throws {
    let text = Array("first line\nthe second one\n".utf8)
    #expect(try split([text], validation: 0, test: 0.8).map(\.text.count) == [11, 15])
    #expect(try split([text], validation: 0, test: 0.3).map(\.text.count) == [21, 5])
  }

  @Test func `documents keep the split that they state`() throws {
    let recorder = Recorder()
    let splitter = DocumentSplitter(
      SplitPlan(SplitFractions(validation: 0, test: 0), of: DocumentMeasurer()), receiver: recorder)
    for split in [Split.test, .train, .validation] {
      try splitter.begin(split)
      try [UInt8(1)].withUnsafeBufferPointer { try splitter.append($0) }
      try splitter.end()
    }
    #expect(recorder.documents.map(\.split) == [.test, .train, .validation])
  }

  @Test func `cuts at the right places with more documents than stored starts`() throws {
    let measurer = DocumentMeasurer()
    let count = (1 << 20) + 5000
    let byte: [UInt8] = [0x61]
    for _ in 0..<count {
      measurer.begin(nil)
      byte.withUnsafeBufferPointer { measurer.append($0) }
    }
    #expect(measurer.boundaries.last == count)
    let cuts = SplitPlan(SplitFractions(validation: 0.1, test: 0.1), of: measurer).cuts
    #expect(cuts.allSatisfy { $0.isBetweenDocuments })
    #expect(abs(cuts[0].offset - count * 8 / 10) < 4)
  }
}
