import TestSupport
import Testing
import Tokenization

@testable import LanguageEvaluation

@Suite struct PairEncodingTests {
  private let tokenizer = ToyTokenizer(["ab", " a", " ab", "  ", "ba", "a b"])

  private func pair(_ context: String, _ continuation: String, begins: Bool? = nil) -> (String, String, Bool) {
    let pair = PairEncoder(tokenizer, beginsTexts: begins).encode(context: context, continuation: continuation)
    return (tokenizer.text(pair.context), tokenizer.text(pair.continuation), pair.mergesAcrossJoin)
  }

  @Test func `white space at the end of the context goes to the continuation`() {
    #expect(pair("xy  ", "ab") == ("xy", "  ab", false))
    #expect(pair("xy \n\t", "ab") == ("xy", " \n\tab", false))
    #expect(pair("xy ", " ab") == ("xy", "  ab", false))
  }

  @Test func `a text without context follows the beginning-of-text id`() {
    #expect(pair("", "ab") == ("<begin>", "ab", false))
    #expect(pair(" \n", "ab") == ("<begin>", " \nab", false))
    var own = ToyTokenizer(["ab"])
    own.beginning = own.ids(of: "x")[0]
    let known = PairEncoder(own).encode(context: "", continuation: "xab")
    #expect(known == EncodedPair(context: own.ids(of: "x"), continuation: own.ids(of: "ab")))
  }

  @Test func `the split is by count, and tokens over the join are found`() {
    // "x" + "a" are two ids, "xa" + "b" as well: the third of "x", "a b" begins after two.
    #expect(pair("xa", "b") == ("xa", "", true))
    #expect(pair("xa", " b") == ("xa", "", true))
    #expect(pair("xab", "a") == ("xab", "a", false))
    let pair = PairEncoder(tokenizer).encode(context: "xa", continuation: "bc")
    #expect(pair.context == tokenizer.ids(of: "xa") && pair.continuation == tokenizer.ids(of: "c"))
    #expect(pair.mergesAcrossJoin)
  }

  @Test func `contexts begin as the policy says, texts without one as they always do`() {
    #expect(pair("x", "y", begins: true) == ("<begin>x", "y", false))
    #expect(pair("", "y", begins: true) == ("<begin>", "y", false))
    var begins = tokenizer
    begins.beginsTexts = true
    #expect(PairEncoder(begins).encode(context: "x", continuation: "y").context.count == 2)
    #expect(PairEncoder(begins, beginsTexts: false).encode(context: "x", continuation: "y").context.count == 1)
  }

  @Test func `what spells a special token means it, and a beginning is not doubled`() throws {
    var toy = ToyTokenizer([])
    for begins in [false, true] {
      toy.beginsTexts = begins
      #expect(PairEncoder(toy).encode(context: "<begin>a", continuation: "b").context == toy.ids(of: "<begin>a"))
    }
    let tokenizer = try Tokenizer(path: fixture("model/tokenizer.json"))
    let pair = PairEncoder(tokenizer).encode(context: "<|endoftext|>A", continuation: " b<|endoftext|>")
    #expect(pair.context.first == tokenizer.endOfText && pair.continuation.last == tokenizer.endOfText)
    #expect(pair.context.count == 2)
  }

  @Test func `context and continuation spell the joined text, whatever it is`() {
    var numbers = Numbers(state: 1)
    let letters = Array("ab \nx")
    for _ in 0..<2000 {
      let text = String((0..<numbers.next(below: 12) + 1).map { _ in letters[numbers.next(below: letters.count)] })
      let join = text.index(text.startIndex, offsetBy: numbers.next(below: text.count))
      let (context, continuation) = (String(text[..<join]), String(text[join...]))
      let pair = PairEncoder(tokenizer).encode(context: context, continuation: continuation)
      let ids = pair.context + pair.continuation
      if pair.mergesAcrossJoin {
        #expect(ids != tokenizer.ids(of: text))
      } else {
        #expect(tokenizer.text(ids.drop { $0 == 0 }) == text)
      }
      #expect(!pair.context.isEmpty)
    }
  }

  @Test func `every token of a text is predicted once, in order, with the context that the definition says`() {
    for length in 1...7 {
      for count in 0...(3 * length + 1) {
        let tokens = (0..<count).map { Int32($0 + 1) }
        let pairs = RollingWindows.pairs(of: tokens, beginning: 0, length: length)
        #expect(pairs.flatMap(\.continuation) == tokens)
        var end = 0
        for (index, pair) in pairs.enumerated() {
          end += pair.continuation.count
          let sequence = ScoredSequence(pair, length: length)!
          let expected = index == 0 ? [0] + tokens[..<(end - 1)] : Array(tokens[(end - length - 1)..<(end - 1)])
          #expect(sequence.inputs == expected && !sequence.isTruncated)
          #expect(sequence.targets == pair.continuation)
          // Full windows after the first have one token of context, the last one as many as fit.
          #expect(pair.context.count == (index == 0 ? 1 : length - pair.continuation.count + 1))
        }
      }
    }
  }

  @Test func `every token of a continuation is predicted once, whatever of the context fits`() {
    for length in 1...7 {
      for context in 1...9 {
        for continuation in 1...9 {
          let pair = EncodedPair(
            context: (0..<context).map { Int32($0) }, continuation: (0..<continuation).map { Int32($0 + context) })
          let sequence = ScoredSequence(pair, length: length)
          #expect((sequence == nil) == (continuation > length))
          guard let sequence else { continue }
          let all = (0..<context + continuation).map { Int32($0) }
          #expect(sequence.targets == Array(all.suffix(continuation)))
          #expect(sequence.inputs == Array(all.dropLast().suffix(length)))
          #expect(sequence.isTruncated == (context + continuation > length + 1))
        }
      }
    }
  }
}
