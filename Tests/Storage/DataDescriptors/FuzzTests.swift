import DataDescriptors
import Files
import TestSupport
import Testing

@Suite(.enabled(if: slowTestsEnabled)) struct FuzzTests {
  private struct Unequal: Error {}

  @Test func `descriptors of data sets`() throws {
    let samples = try ["data/austen.yaml", "data/gpt2.yaml"].map { try Files.read(checkout($0)) }
    try fuzz(samples, as: "descriptor.yaml") { path in
      let descriptor = try DataDescriptor(path)
      for file in descriptor.files where !Files.isPlainRelative(file.name) { throw Unequal() }
    }
  }
}
