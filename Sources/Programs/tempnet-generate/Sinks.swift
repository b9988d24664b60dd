import Diagnostics
import Generation
import Glibc
import JSON
import Tokenization

/// A destination of generated text.
protocol Sink: AnyObject {
  func begin(_ given: PromptText, prompt: Int, sample: Int) throws
  func add(_ token: GeneratedToken) throws
  func end(_ reason: FinishReason) throws
  func close() throws
}

/// Text as it is generated, coloured by temperature on a terminal.
final class TextSink: Sink {
  private let tokenizer: Tokenizer
  private let coloured: Bool
  private var stream: TextStream
  private var isFirst = true

  init(_ tokenizer: Tokenizer, coloured: Bool) {
    (self.tokenizer, self.coloured) = (tokenizer, coloured)
    stream = TextStream(tokenizer)
  }

  func begin(_: PromptText, prompt: Int, sample: Int) throws {
    if !isFirst { try put("\n") }
    isFirst = false
    stream = TextStream(tokenizer)
  }

  func add(_ token: GeneratedToken) throws {
    let text = stream.add(token.token)
    if coloured, let temperature = token.temperature {
      try put("\u{1B}[48;5;\(Self.colour(temperature))m\u{1B}[38;5;16m\(text)\u{1B}[0m")
    } else {
      try put(text)
    }
  }

  func end(_: FinishReason) throws { try put(stream.finish() + "\n") }

  func close() throws {
    guard coloured else { return }
    let legend = [0.25, 0.5, 0.75, 1, 1.33, 2, 4].map {
      "\u{1B}[48;5;\(Self.colour($0))m\u{1B}[38;5;16m \($0) \u{1B}[0m"
    }
    try put("\n" + legend.joined() + "\n")
  }

  /// From blue (a quarter and below) by white (1) to red (4 and above), in xterm's cube of 6 x 6 x 6 colours.
  private static func colour(_ temperature: Double) -> Int {
    let position = min(max(log2(temperature) / 2, -1), 1)
    let fade = 5 - Int((abs(position) * 4).rounded())
    let (red, green, blue) = position < 0 ? (fade, fade, 5) : (5, fade, fade)
    return 16 + 36 * red + 6 * green + blue
  }
}

/// Prints at once, and checks for an error, because a stream reports an error only once.
private func put(_ text: String) throws {
  print(text, terminator: "")
  if fflush(nil) != 0 && errno != EPIPE { throw Failure.system("cannot write", "standard output") }
}

/// A JSON object per sequence, on a line of its own. The texts of the tokens, put together, are the text.
final class JSONSink: Sink {
  private let tokenizer: Tokenizer
  private var head: JSONObject = [:]
  private var stream: TextStream
  private var tokens: [(token: GeneratedToken, text: String)] = []

  init(_ tokenizer: Tokenizer) {
    self.tokenizer = tokenizer
    stream = TextStream(tokenizer)
  }

  func begin(_ given: PromptText, prompt: Int, sample: Int) {
    head = ["prompt": .string(given.text), "prompt_number": .integer(prompt), "sample": .integer(sample)]
    stream = TextStream(tokenizer)
    tokens = []
  }

  func add(_ token: GeneratedToken) { tokens.append((token, stream.add(token.token))) }

  func end(_ reason: FinishReason) throws {
    let rest = stream.finish()
    if !rest.isEmpty { tokens[tokens.count - 1].text += rest }
    var object = head
    object["text"] = .string(tokens.map(\.text).joined())
    object["finish_reason"] = .string(reason.rawValue)
    object["tokens"] = .array(
      tokens.map { token, text in
        [
          "id": .integer(Int(token.token)), "text": .string(text),
          "temperature": token.temperature.map { .number($0) } ?? .null,
          "log_probability": .number(token.logProbability),
          "model_log_probability": .number(token.modelLogProbability), "entropy": .number(token.entropy),
        ]
      })
    try put(JSON.object(object).compact + "\n")
  }

  func close() {}
}

/// A model's outputs in AlpacaEval's form, written at the end: an interrupted answer would be judged as if it were
/// whole.
final class AlpacaSink: Sink {
  private let tokenizer: Tokenizer
  private let generator: String
  private var given = PromptText(instruction: "")
  private var tokens: [Int32] = []
  private var answers: [JSON] = []

  init(_ tokenizer: Tokenizer, generator: String) { (self.tokenizer, self.generator) = (tokenizer, generator) }

  func begin(_ given: PromptText, prompt: Int, sample: Int) {
    self.given = given
    tokens = []
  }

  func add(_ token: GeneratedToken) { tokens.append(token.token) }

  func end(_ reason: FinishReason) {
    guard reason != .interrupted else { return }
    var answer: JSON = ["instruction": .string(given.instruction)]
    if let input = given.input { answer["input"] = .string(input) }
    answer["output"] = .string(tokenizer.text(of: tokens))
    answer["generator"] = .string(generator)
    answers.append(answer)
  }

  func close() throws { try put(JSON.array(answers).pretty) }
}
