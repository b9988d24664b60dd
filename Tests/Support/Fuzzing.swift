import Diagnostics
import Files
import Foundation
import Glibc
import Testing

/// The number of damaged files for each reader: TEMPNET_FUZZ, or this default.
public let fuzzTimes = ProcessInfo.processInfo.environment["TEMPNET_FUZZ"].flatMap { Int($0) } ?? 10_000
/// TEMPNET_FUZZ_SEED, for other damage than by default.
public let fuzzSeed = ProcessInfo.processInfo.environment["TEMPNET_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1

/// The most seconds that a reader may take for a small file; SIGALRM ends a process that hangs.
private let patience: UInt32 = 60
/// The most memory that readers may take for small files, in bytes; sanitizers multiply it.
private let memoryLimit = 512 << 20

/// Passes damaged forms of sound files to a reader. It may accept or refuse them, but must not crash, hang or fill
/// the memory, and a refusal has to be a `Failure` about the file, not an internal one.
///
/// The file is written before each attempt; if the process dies, it is in `tempnet-tests-*/NAME` of the
/// temporary folder.
///
/// - Parameters:
///   - name: the file's name, for readers that depend on it.
///   - read: reads the file at a path with all its content.
public func fuzz(
  _ samples: [[UInt8]], as name: String, times: Int = fuzzTimes, _ read: (String) throws -> Void
) throws {
  let folder = try TemporaryFolder()
  let path = folder(name)
  for sample in samples {
    try write(sample, to: path)
    try read(path)  // The sound file has to be accepted, or fuzzing shows nothing.
  }
  var mutator = Mutator(samples, seed: fuzzSeed)
  var refused = 0
  let before = memory("VmRSS")
  resetPeak()
  for _ in 0..<times {
    let bytes = mutator.next()
    try write(bytes, to: path)
    alarm(patience)
    do {
      try read(path)
    } catch let failure as Failure {
      refused += 1
      if ![.badData, .badConfiguration, .missingInput].contains(failure.status) {
        Issue.record("\(failure.status): \(failure), for \(kept(bytes, name))")
      }
    } catch {
      Issue.record("\(error), for \(kept(bytes, name))")
    }
    alarm(0)
  }
  if refused == 0 { Issue.record("damage that nobody notices is none") }
  let taken = memory("VmHWM") - before
  let isSanitized = dlsym(nil, "__asan_init") != nil
  if taken > memoryLimit * (isSanitized ? 8 : 1) { Issue.record("took \(taken >> 20) MiB for small files") }
}

/// Passes every beginning of a sound file to a reader.
///
/// - Parameter check: returns whether the reader handles the file correctly; an error counts as refusal.
public func truncations(of sample: [UInt8], as name: String, _ check: (String) throws -> Bool) throws {
  let folder = try TemporaryFolder()
  for length in 0..<sample.count {
    try write(Array(sample.prefix(length)), to: folder(name))
    alarm(patience)
    do {
      if try !check(folder(name)) { Issue.record("taken, though cut to \(length) of \(sample.count) bytes") }
    } catch let failure as Failure where failure.status == .badData || failure.status == .badConfiguration {
    } catch {
      Issue.record("cut to \(length) of \(sample.count) bytes: \(error)")
    }
    alarm(0)
  }
}

/// Writes without `fsync`, which would take most of the time.
private func write(_ bytes: [UInt8], to path: String) throws {
  let writer = try FileWriter(path)
  try writer.write(bytes)
  try writer.close()
}

/// Keeps a file that showed an error.
private func kept(_ bytes: [UInt8], _ name: String) -> String {
  let path = "/tmp/tempnet-fuzz-\(SHA256.hex(of: bytes).prefix(12))-\(name)"
  try? write(bytes, to: path)
  return path
}

/// A figure of this process's memory, in bytes.
public func memory(_ figure: String) -> Int {
  let lines = ((try? text("/proc/self/status")) ?? "").split(separator: "\n")
  let line = lines.first { $0.hasPrefix(figure + ":") } ?? ""
  return (Int(line.split { !$0.isNumber }.first ?? "0") ?? 0) << 10
}

/// Resets the peak of memory, `VmHWM` (proc(5), clear_refs).
public func resetPeak() {
  guard let file = fopen("/proc/self/clear_refs", "w") else { return }
  fputs("5", file)
  fclose(file)
}
