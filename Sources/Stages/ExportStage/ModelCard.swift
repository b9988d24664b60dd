import Artifacts
import Diagnostics
import JSON
import LanguageEvaluation
import TempNet
import TemperatureSettings

/// The model card of a bundle: what it is, how to use it, what was measured, and the sources of its data.
struct ModelCard {
  let settings: TempNetSettings
  let tempnet: Artifact
  let evaluation: EvaluationArtifact?

  private var history: TempNetHistory { TempNetHistory(tempnet.manifest) }

  /// `config.json`: every setting, how the network was trained, and the keys of what it was made of.
  var configuration: JSON {
    var members = JSONObject([("architecture", "tempnet"), ("format_version", 1)])
    for (name, value) in settings.entries {
      members[name] =
        switch value {
        case .integer(let value): .integer(value)
        case .number(let value): .number(value)
        case .text(let value): .string(value)
        }
    }
    members["origin"] = .string(history.origin.rawValue)
    members["objective"] = history.objective.map(JSON.string) ?? .null
    members["producer"] = .string("tempnet \(Release.version)")
    members["tempnet_key"] = .string(tempnet.key)
    members["evaluation_key"] = evaluation.map { .string($0.artifact.key) } ?? .null
    members["inputs"] = .array(
      tempnet.manifest.inputs.map { ["name": .string($0.name), "kind": .string($0.kind), "key": .string($0.key)] })
    return .object(members)
  }

  /// `README.md`.
  var text: String {
    [introduction, use, settingsTable, results, data, origin].joined(separator: "\n")
  }

  private var introduction: String {
    let read = settings.width == nil ? "the \(settings.vocabulary) logits" : "the last hidden state"
    return """
      # A temperature network

      This TempNet predicts, from \(read) of one next-token prediction, the softmax temperature for exactly that
      prediction, between \(settings.tauMin) and \(settings.tauMax). The method is that of "To Cool or not to Cool?
      Temperature Network Meets Large Foundation Models via DRO" (arXiv 2404.04575).

      \(history.sentences)

      """
  }

  private var use: String {
    """
    ## Use

    ```python
    from tempnet import TempNet, TempNetLogitsProcessor

    net = TempNet.load("tempnet.safetensors")
    \(call)
    ```

    \(besides)
    """
  }

  private var call: String {
    if let width = settings.width {
      return """
        tau = net(logits, hidden)  # NumPy or PyTorch: [..., \(settings.vocabulary)] and [..., \(width)] -> [...]
        """
    }
    return """
      tau = net(logits)  # NumPy or PyTorch: [..., \(settings.vocabulary)] -> [...]
      model.generate(  # Hugging Face
          ..., do_sample=True, temperature=1.0, top_p=1.0, top_k=0, repetition_penalty=1.0,
          logits_processor=[TempNetLogitsProcessor(net)])
      """
  }

  /// Settings of other tools that would act beside the TempNet, and how to switch them off; empty where no tool uses it.
  private var besides: String {
    guard settings.width == nil else { return "" }
    return """
      The four settings keep `generate` from what the model's `generation_config.json` says: a second temperature, cuts and
      penalties. vLLM takes `--logits-processors tempnet:VLLMTempNetProcessor --generation-config vllm`; the log-probabilities
      that it returns are tempered with `--logprobs-mode processed_logprobs`. TempNet has to read the
      model's own logits: rows with -inf in them stay undivided, and masks of finite numbers change the temperature.

      """
  }

  private var settingsTable: String {
    let input =
      switch settings.input {
      case .logits: "the logits as they are, divided by their Euclidean norm"
      case .centred: "the logits minus their maximum, divided by their Euclidean norm"
      case .scaled:
        "the logits minus their maximum, divided by their Euclidean norm; the logarithms of it and of their spread"
      case .hidden: "the last hidden state, divided by its Euclidean norm"
      }
    return """
      ## Settings

      | setting | value |
      |---|---|
      | input | \(input) |
      | hidden width | \(settings.hidden) |
      | rho\(history.isRobust ? "" : ", not used in training") | \(readable(settings.rho, digits: 4)) nats |
      | entropy\(history.isRobust ? " that the loss asks for" : ""), ln V - rho | \(readable(settings.targetEntropy, digits: 4)) nats |

      """
  }

  private var results: String {
    guard let evaluation else { return "## Results\n\nNo evaluation was exported with these weights.\n" }
    let rows = zip(titles(evaluation.policies), evaluation.policies).map { title, policy in
      let bits = policy.bitsPerByte.map { readable($0, digits: 4) } ?? "–"
      return "| \(cell(title)) | \(readable(policy.robustLoss, digits: 4)) | \(readable(policy.perplexity, digits: 3)) "
        + "| \(bits) | \(readable(policy.meanTemperature, digits: 3)) |"
    }
    return """
      ## Results

      Measured on the \(evaluation.tokens) tokens of the test split, which nothing was chosen on. Intervals and every
      other figure are in `metrics.json`.

      | policy | robust loss | token perplexity | bits per byte | mean temperature |
      |---|---|---|---|---|
      \(rows.joined(separator: "\n"))

      """
  }

  /// The titles of the policies; a title that occurs twice gets the policy's name beside it.
  private func titles(_ policies: [EvaluationArtifact.Policy]) -> [String] {
    policies.enumerated().map { index, policy in
      let isRepeated = policies[..<index].contains { $0.title == policy.title }
      return isRepeated ? "\(policy.title) (\(policy.name))" : policy.title
    }
  }

  private var data: String {
    guard let evaluation, !evaluation.sources.isEmpty else {
      return "## Data\n\nThe sources of the data are not stated.\n"
    }
    let rows = evaluation.sources.map { "| \(cell($0.name)) | \(cell($0.licence)) | \(cell($0.origin)) |" }
    return """
      ## Data

      | text | licence | source |
      |---|---|---|
      \(rows.joined(separator: "\n"))

      """
  }

  private var origin: String {
    """
    ## Origin

    Written by tempnet \(Release.version). Key of the TempNet: `\(tempnet.key)`\
    \(evaluation.map { "; of the evaluation: `\($0.artifact.key)`" } ?? ""). `config.json` names what the TempNet was made of.
    `tempnet.py` is licensed under the Apache License 2.0.

    """
  }

  /// Text that cannot end a cell or a row of a table.
  private func cell(_ text: String) -> String {
    String(text.map { $0 == "|" ? "/" : $0.isNewline ? " " : $0 })
  }
}
