import ArgumentParser
import Diagnostics
import Glibc

/// A program of the package: parses its command line, works, ends with a code of `sysexits`.
///
/// Errors go to standard error as `tempnet-fit: error: place: message`; standard output is for results.
public protocol Program: ParsableCommand {}

/// A program that waits for others while it works.
public protocol AsyncProgram: Program, AsyncParsableCommand {}

extension AsyncProgram {
  public static func main() async {
    Interruption.install()
    do {
      var command = try parseAsRoot()
      if var waiting = command as? any AsyncParsableCommand { try await waiting.run() } else { try command.run() }
    } catch {
      end(with: error)
    }
  }
}

extension Program {
  public static func main() {
    Interruption.install()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      end(with: error)
    }
  }

  /// Says what went wrong, or prints the help that was asked for, and ends the process.
  public static func end(with error: any Error) -> Never {
    if let failure = error as? Failure {
      Log.error("\(failure)", by: _commandName)
      Glibc.exit(failure.status.rawValue)
    }
    let status = exitCode(for: error)
    if status == .success {
      print(fullMessage(for: error))
      Glibc.exit(ExitStatus.done.rawValue)
    }
    guard status == .validationFailure else {
      Log.error("\(error)", by: _commandName)
      Glibc.exit(ExitStatus.internal.rawValue)
    }
    // ArgumentParser's own words begin with "Error: "; what follows them is the usage.
    let message = fullMessage(for: error)
    Log.error(message.hasPrefix("Error: ") ? String(message.dropFirst(7)) : message, by: _commandName)
    Glibc.exit(ExitStatus.usage.rawValue)
  }
}
