import Foundation

/// Whether to run tests that take long or compare with Python libraries: `scripts/test --all` asks for it.
public let slowTestsEnabled = ProcessInfo.processInfo.environment["TEMPNET_SLOW_TESTS"] == "1"

/// The Python that holds the libraries of `scripts/requirements.txt`; without one, tests that need it are skipped,
/// or fail when slow tests are asked for.
public let python = ProcessInfo.processInfo.environment["TEMPNET_PYTHON"]
