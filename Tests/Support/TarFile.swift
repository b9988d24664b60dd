/// A tar file (POSIX ustar) with any names, also repeated and hostile ones.
public func tarFile(_ members: [(name: String, content: [UInt8])], isClosed: Bool = true) -> [UInt8] {
  var bytes: [UInt8] = []
  for (name, content) in members {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at place: Int) { header.replaceSubrange(place..<place + text.utf8.count, with: text.utf8) }
    func octal(_ number: Int, _ digits: Int) -> String {
      let text = String(number, radix: 8)
      return String(repeating: "0", count: digits - text.count) + text
    }
    put(name, at: 0)
    put("0000644\0" + "0000000\0" + "0000000\0" + octal(content.count, 11) + "\0" + octal(0, 11) + "\0", at: 100)
    put("        0", at: 148)
    put("ustar\0" + "00", at: 257)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0 ", at: 148)
    bytes += header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }
  return isClosed ? bytes + [UInt8](repeating: 0, count: 1024) : bytes
}

/// The same with texts.
public func tarFile(_ members: KeyValuePairs<String, String>) -> [UInt8] {
  tarFile(members.map { ($0.key, Array($0.value.utf8)) })
}
