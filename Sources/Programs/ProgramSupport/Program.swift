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
  /// The engine of the program: libtorch's version, and its arithmetic on this machine. Only `--version` asks for it,
  /// because the answer initialises libtorch.
  static var engine: String? { get }
}

/// A program that waits for others while it works.
public protocol AsyncProgram: Program, AsyncParsableCommand {
  /// The arguments in the order for parsing; by default the order in which they were given.
  ///
  /// - Throws: `Failure(.usage)` for arguments that deserve a better message than the parser's.
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

  /// The text of `--version`: the release, its build and its engine.
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

  /// Swift's own list of the arguments has U+FFFD for bytes that are not UTF-8. Files would not be found, and prompts
  /// would change.
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

  /// The output is a result: the program has failed if a full disk does not take it. A reader that has gone away, as in
  /// `tempnet-run status | head -1`, has read enough.
  fileprivate static func finishOutput() throws {
    if fflush(nil) != 0 && errno != EPIPE { throw Failure.system("cannot write", "standard output") }
  }

  /// Prints the error, or the help if that was asked for, and ends the process.
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
    // ArgumentParser's message begins with "Error: "; the usage follows.
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
