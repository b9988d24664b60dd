import Foundation

/// Whether to run tests that are slow or compare with Python libraries, as `scripts/test --all` does.
public let slowTestsEnabled = ProcessInfo.processInfo.environment["TEMPNET_SLOW_TESTS"] == "1"

/// The Python that holds the libraries of `scripts/requirements.txt`; without one, tests that need it are skipped,
/// or fail when slow tests are asked for.
public let python = ProcessInfo.processInfo.environment["TEMPNET_PYTHON"]
