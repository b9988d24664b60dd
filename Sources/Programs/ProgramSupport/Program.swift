import ArgumentParser
import Artifacts
import Diagnostics
import Files
import Glibc
import StageDescriptions

/// A program of the package: parses its command line, works, ends with a code of `sysexits`.
///
/// Errors go to standard error as `tempnet-fit: error: place: message`; standard output is for results.
public protocol Program: ParsableCommand {
  /// What the program computes with: libtorch's version, and the arithmetic that it uses here. Asked for by `--version`
  /// only, because looking prepares libtorch.
  static var engine: String? { get }
}

/// A program that waits for others while it works.
public protocol AsyncProgram: Program, AsyncParsableCommand {
  /// The arguments in the order in which they are parsed; as given by default.
  ///
  /// - Throws: `Failure(.usage)` for arguments that are better refused here than by their parser.
  static func ordered(_ arguments: [String]) throws -> [String]
}

extension AsyncProgram {
  public static func ordered(_ arguments: [String]) throws -> [String] { arguments }

  public static func main() async {
    prepare()
    do {
      try checkArguments()
      var command = try parseAsRoot(ordered(Array(CommandLine.arguments.dropFirst())))
      if var waiting = command as? any AsyncParsableCommand { try await waiting.run() } else { try command.run() }
      try finishOutput()
    } catch {
      end(with: error)
    }
  }
}

extension Program {
  public static var engine: String? { nil }

  /// What `--version` prints: the release, which build of it, and what it computes with.
  private static var version: String {
    [Release.version, Build.identity.map { "build \($0)" }, engine].compactMap { $0 }.joined(separator: ", ")
  }

  public static func main() {
    prepare()
    do {
      try checkArguments()
      var command = try parseAsRoot()
      try command.run()
      try finishOutput()
      StageEnding(status: ExitStatus.done.rawValue).writeForRunner()
    } catch {
      end(with: error)
    }
  }

  fileprivate static func prepare() {
    Interruption.install()
    let name = _commandName
    UnrecoverableFailure.setEnding { ProgramSupport.end(name, with: $0) }
  }

  /// Swift's own list of the arguments has U+FFFD for what is not UTF-8: files of such a name would not be there, and
  /// prompts would be others.
  fileprivate static func checkArguments() throws {
    for index in 1..<max(1, Int(CommandLine.argc)) {
      guard let argument = CommandLine.unsafeArgv[index], String(validatingCString: argument) == nil else { continue }
      let bytes = UnsafeRawBufferPointer(start: argument, count: strlen(argument))
      throw Failure(
        .badData,
        "the argument '\(escapingInvalidUTF8(bytes))' is not UTF-8; rename a file of such a name "
          + "(convmv -f ENCODING -t UTF-8 does many at once), convert a text (iconv -f ENCODING -t UTF-8)")
    }
  }

  /// What is printed is a result: if a full disk does not take it, the program has failed. A reader that has gone away,
  /// as in `tempnet-run status | head -1`, had what it wanted.
  fileprivate static func finishOutput() throws {
    if fflush(nil) != 0 && errno != EPIPE { throw Failure.system("cannot write", "standard output") }
  }

  /// Says what went wrong, or prints the help that was asked for, and ends the process.
  public static func end(with error: any Error) -> Never {
    if let failure = error as? Failure { ProgramSupport.end(_commandName, with: failure) }
    let status = exitCode(for: error)
    if status == .success {
      let message = fullMessage(for: error)
      print(message == Release.version ? version : message)
      Glibc.exit(ExitStatus.done.rawValue)
    }
    guard status == .validationFailure else {
      ProgramSupport.end(_commandName, with: Failure(.internal, "\(error)"))
    }
    // ArgumentParser's own words begin with "Error: "; what follows them is the usage.
    let message = fullMessage(for: error)
    let words = message.hasPrefix("Error: ") ? String(message.dropFirst(7)) : message
    ProgramSupport.end(_commandName, with: Failure(.usage, words))
  }
}

private func end(_ program: String, with failure: Failure) -> Never {
  Log.error("\(failure)", by: program)
  StageEnding(failure).writeForRunner()
  Glibc.exit(failure.status.rawValue)
}
