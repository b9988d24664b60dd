import Artifacts
import Diagnostics
import Files
import TestSupport

@testable import Pairs

/// What a path holds, a line for each sample: `source/member: captions | concept style label split`, or `- member: reason`.
func lines(_ paths: [String], _ options: PairSources.Options = PairSources.Options()) throws -> [String] {
  let stream = try PairSources(paths, options, digests: FileDigests()).reader()
  var lines: [String] = []
  while let item = try stream.next() {
    switch item {
    case .leftOut(let sample): lines.append("- \(sample.member): \(sample.reason)")
    case .sample(let sample):
      let said = sample.description
      let more = [said.concept, said.style, said.label, said.split, said.licence].compactMap { $0 }
      let content =
        switch sample.content {
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .file(let path): (try? text(path)) ?? "missing"
        }
      lines.append(
        "\(sample.member)=\(content): \(said.captions.joined(separator: " / "))"
          + (more.isEmpty ? "" : " | \(more.joined(separator: " "))"))
    }
  }
  return lines
}

extension TemporaryFolder {
  /// Writes bytes into the folder and returns the path.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    try Files.makeFolder(Files.folder(of: self(name)))
    try AtomicFile.write(bytes, to: self(name))
    return self(name)
  }
}
