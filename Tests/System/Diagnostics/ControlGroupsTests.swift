import Glibc
import TestSupport
import Testing

@testable import Diagnostics

/// Files of Linux on machines that set limits in the usual ways.
@Suite struct ControlGroupsTests {
  private let root: TemporaryFolder

  init() throws { root = try TemporaryFolder() }

  private func write(_ path: String, _ text: String) throws {
    let bytes = Array("\(root.path)/\(path)".utf8)
    for end in bytes.indices.dropFirst() where bytes[end] == UInt8(ascii: "/") {
      mkdir(String(decoding: bytes[..<end], as: UTF8.self), 0o777)
    }
    let file = try #require(fopen("\(root.path)/\(path)", "w"))
    defer { fclose(file) }
    fputs(text, file)
  }

  private var groups: ControlGroups { ControlGroups(root: root.path) }

  /// Version 2 on a host: systemd's slices, each with a limit.
  @Test func `the least limit of a group and its parents counts`() throws {
    try write("proc/self/cgroup", "0::/work.slice/run-1.scope\n")
    try write(
      "proc/self/mountinfo",
      """
      22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
      26 25 0:23 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate
      """)
    let folder = "sys/fs/cgroup"
    #expect(groups.processors == nil && groups.memory == nil)
    try write("\(folder)/work.slice/cpu.max", "150000 100000\n")
    try write("\(folder)/work.slice/memory.max", "max\n")
    try write("\(folder)/work.slice/run-1.scope/cpu.max", "max 100000\n")
    try write("\(folder)/work.slice/run-1.scope/memory.max", "2147483648\n")
    #expect(groups.processors == 1.5 && groups.memory == 2 << 30)
    try write("\(folder)/work.slice/memory.max", "1073741824\n")
    try write("\(folder)/work.slice/run-1.scope/cpu.max", "20000 40000\n")
    #expect(groups.processors == 0.5 && groups.memory == 1 << 30)
  }

  /// A container with a namespace of its own, whose group is its root.
  @Test func `a container sees its own group as the root`() throws {
    try write("proc/self/cgroup", "0::/\n")
    try write("proc/self/mountinfo", "930 925 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n")
    try write("sys/fs/cgroup/cpu.max", "50000 100000\n")
    try write("sys/fs/cgroup/memory.max", "536870912\n")
    #expect(groups.processors == 0.5 && groups.memory == 512 << 20)
  }

  /// Version 1 without a namespace: the group's path is the host's, of which the container's part is mounted.
  @Test func `version 1 has a file for quota and period, and a large number for no limit`() throws {
    try write("proc/self/cgroup", "9:memory:/docker/0f1e\n4:cpu,cpuacct:/docker/0f1e\n1:name=systemd:/docker/0f1e\n")
    try write(
      "proc/self/mountinfo",
      """
      40 39 0:30 /docker/0f1e /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct
      44 39 0:34 /docker/0f1e /sys/fs/cgroup/memory\\040here ro - cgroup cgroup rw,memory
      45 39 0:35 /docker/0f1e /sys/fs/cgroup/systemd ro - cgroup cgroup rw,xattr,name=systemd
      """)
    try write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n")
    try write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
    try write("sys/fs/cgroup/memory here/memory.limit_in_bytes", "9223372036854771712\n")
    #expect(groups.processors == nil && groups.memory == nil)
    try write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000\n")
    try write("sys/fs/cgroup/memory here/memory.limit_in_bytes", "3221225472\n")
    #expect(groups.processors == 2.5 && groups.memory == 3 << 30)
  }

  @Test func `a hybrid machine has controllers in both versions`() throws {
    try write("proc/self/cgroup", "4:memory:/job\n1:cpu:/\n0::/user.slice\n")
    try write(
      "proc/self/mountinfo",
      """
      32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
      35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
      41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
      """)
    try write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    try write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1048576000\n")
    try write("sys/fs/cgroup/unified/user.slice/cpu.max", "300000 100000\n")
    #expect(groups.processors == 3 && groups.memory == 1_048_576_000)
  }

  @Test func `paths outside the mounted part and empty files set no limit`() throws {
    try write("proc/self/cgroup", "0::/../../other\nnonsense\n::\n")
    try write("proc/self/mountinfo", "nonsense\n1 2 3:4 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    try write("sys/other/cpu.max", "1 100\n")
    for text in ["", "max", "0", "-5", "0 100000", "-5 100", "100000 0", "many few"] {
      try write("sys/fs/cgroup/cpu.max", text)
      try write("sys/fs/cgroup/memory.max", text)
      #expect(groups.processors == nil && groups.memory == nil, "\(text)")
    }
    #expect(ControlGroups(root: "/nonexistent").memory == nil)
  }

  /// Swift joins a sign and the combining marks after it to one Character.
  @Test func `names of groups may begin with a combining mark`() throws {
    let name = "\u{301}job"
    try write("proc/self/cgroup", "0::/work.slice/\(name)\n")
    try write("proc/self/mountinfo", "26 25 0:23 / /sys/fs/\(name) rw - cgroup2 cgroup2 rw\n")
    try write("sys/fs/\(name)/work.slice/cpu.max", "50000 100000\n")
    try write("sys/fs/\(name)/work.slice/\(name)/memory.max", "1048576\n")
    #expect(groups.processors == 0.5 && groups.memory == 1 << 20)
  }

  @Test func `threads follow the quota, rounded up, and processor affinity`() {
    #expect(Machine.cores(usable: 8, quota: nil) == 8)
    #expect([0.2, 1, 1.5, 2, 7.01, 64].map { Machine.cores(usable: 8, quota: $0) } == [1, 1, 2, 2, 8, 8])
    #expect(Machine.cores(usable: 1, quota: 4) == 1 && Machine.cores(usable: 0, quota: nil) == 1)
    #expect(Machine.cores >= 1 && Machine.memory > 1 << 20)
  }

  /// The files of a control group that set a limit, with their content.
  struct Settings: Sendable {
    let folder: String
    let quota: String?
    let memory: String?

    static let all = [
      Settings(
        folder: "/sys/fs/cgroup", quota: "echo 150000 100000 >cpu.max", memory: "echo 2147483648 >memory.max"),
      Settings(folder: "/sys/fs/cgroup/cpu", quota: "echo 150000 >cpu.cfs_quota_us", memory: nil),
      Settings(folder: "/sys/fs/cgroup/memory", quota: nil, memory: "echo 2147483648 >memory.limit_in_bytes"),
    ]

    /// The settings that this process may write.
    static let possible = all.filter { settings in settings.withGroup { !$0.isEmpty } }

    /// Makes a group for as long as the body runs, which is given what a process in the group sees of itself; nothing
    /// where the group cannot be made.
    func withGroup<Result>(_ body: (_ seen: String) throws -> Result) rethrows -> Result {
      let group = "\(folder)/tempnet-test-\(getpid())"
      guard access("\(folder)/cgroup.procs", W_OK) == 0, mkdir(group, 0o777) == 0 else { return try body("") }
      defer { rmdir(group) }
      let steps = ["cd \(group)", quota, memory, "echo $$ >cgroup.procs", "cat /proc/self/cgroup"]
      return try body(output(steps.compactMap { $0 }.joined(separator: " && ")))
    }
  }

  /// Made by the kernel, with its own files.
  @Test(.enabled(if: !Settings.possible.isEmpty, "there are no rights to make a control group"))
  func `a real group has the limits that were set`() throws {
    for settings in Settings.possible {
      try settings.withGroup { seen in
        try #require(!seen.isEmpty)
        try write("proc/self/cgroup", seen)
        try write("proc/self/mountinfo", output("cat /proc/self/mountinfo"))
        unlink("\(root.path)/sys")
        try #require(symlink("/sys", "\(root.path)/sys") == 0)
        if settings.quota != nil { #expect(groups.processors == 1.5, "\(settings)") }
        if settings.memory != nil { #expect(groups.memory == 2 << 30, "\(settings)") }
      }
    }
  }
}

/// The output of a shell command.
private func output(_ command: String) -> String {
  guard let pipe = popen(command + " 2>/dev/null", "r") else { return "" }
  defer { pclose(pipe) }
  var bytes = [UInt8](repeating: 0, count: 1 << 20)
  let count = fread(&bytes, 1, bytes.count, pipe)
  return String(decoding: bytes.prefix(count), as: UTF8.self)
}
