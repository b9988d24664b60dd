import Glibc
import Testing

@testable import Diagnostics

@Suite struct ProcessIdentityTests {
  private let own = ProcessIdentity(of: getpid())!

  @Test func `a process is the same however it came to be known`() {
    #expect(ProcessIdentity(own.description) == own && own.isOfThisMachine && own.isAlive)
    #expect(own != ProcessIdentity(of: getppid()))
  }

  @Test func `a later process of the same id, and one of another machine, is another`() throws {
    let parts = own.description.split(separator: " ").map(String.init)
    let later = try #require(ProcessIdentity("\(parts[0]) \(own.start + 1) \(parts[2])"))
    #expect(later != own && !later.isAlive && later.isOfThisMachine)
    let elsewhere = try #require(ProcessIdentity("\(parts[0]) \(parts[1]) 0-0"))
    #expect(elsewhere != own && !elsewhere.isOfThisMachine)
  }

  @Test(arguments: ["", "1", "4711", "1 2", "a b c", "1 2 3 4"])
  func `other texts name no process`(text: String) {
    #expect(ProcessIdentity(text) == nil)
  }

  @Test func `a process that is dead is none, also while its parent has not asked for its end`() {
    // A child that ends at once, by way of the shell.
    var (process, arguments) = (pid_t(), [strdup("true"), nil])
    defer { free(arguments[0]) }
    #expect(posix_spawnp(&process, "true", nil, nil, &arguments, nil) == 0)
    var status = siginfo_t()
    waitid(P_PID, id_t(process), &status, WEXITED | WNOWAIT)
    #expect(ProcessIdentity(of: process) == nil)
    waitpid(process, nil, 0)
  }
}
