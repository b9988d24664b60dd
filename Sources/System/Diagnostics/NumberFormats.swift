import Glibc

/// A number with a fixed count of digits after the point, always with a point: independent of the locale.
public func fixed(_ value: Double, digits: Int) -> String {
  guard value.isFinite else { return "\(value)" }
  var buffer = [CChar](repeating: 0, count: 400)
  return withVaList([Int32(digits), value]) { arguments in
    let length = vsnprintf(&buffer, buffer.count, "%.*f", arguments)
    return String(decoding: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// A number with `digits` digits after the point; with two more where those would all be zero; and as a bound, `< 0.0001`,
/// where even these would. Only zero itself is written `0`.
public func readable(_ value: Double, digits: Int) -> String {
  guard value != 0 else { return "0" }
  guard value.isFinite else { return fixed(value, digits: digits) }
  let sign = value < 0 ? "-" : ""
  for count in [digits, digits + 2] {
    let text = fixed(abs(value), digits: count)
    if text.contains(where: { $0 != "0" && $0 != "." }) { return sign + text }
  }
  let least = "0." + String(repeating: "0", count: digits + 1) + "1"
  return value < 0 ? "> -\(least)" : "< \(least)"
}

/// Losses and other figures of four digits, as reports write them.
public func fourDigits(_ value: Double) -> String { readable(value, digits: 4) }

/// A share of 1 as `12.3 %`.
public func percent(_ share: Double) -> String { readable(share * 100, digits: 1) + " %" }

/// A share of 1 without decimals: `95 %`.
public func wholePercent(_ share: Double) -> String { fixed(share * 100, digits: 0) + " %" }

/// Four digits with their sign, `+` included; a number that is written as a bound has none.
public func signed(_ value: Double) -> String {
  let text = fourDigits(value)
  return value > 0 && !text.hasPrefix("<") ? "+" + text : text
}

/// `1234567` as `1,234,567`.
public func grouped(_ number: Int) -> String {
  let digits = Array(String(number.magnitude))
  let groups = digits.indices.map { index in
    (index > 0 && (digits.count - index) % 3 == 0 ? "," : "") + String(digits[index])
  }
  return (number < 0 ? "-" : "") + groups.joined()
}

/// Bytes as lower-case hexadecimals, two to a byte.
public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}

/// `0.5`, `5`: as short as the number allows.
public func shortest(_ value: Double) -> String {
  value == value.rounded() && abs(value) < 1e15 ? fixed(value, digits: 0) : "\(value)"
}

/// A figure with at most four digits and a decimal prefix: `1.23k`, `45.6M`.
public func abbreviated(_ value: Double) -> String {
  for (scale, prefix) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")] where abs(value) >= scale {
    return fixed(value / scale, digits: 2) + prefix
  }
  return value == value.rounded() ? fixed(value, digits: 0) : fixed(value, digits: 2)
}

/// A number of bytes with a decimal prefix: `1.23kB`, `45.6MB`.
public func byteSize(_ bytes: Int) -> String { abbreviated(Double(bytes)) + "B" }

/// A number of things: `1 item`, `2 items`.
public func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// A number of seconds as `42s`, `3m05s` or `2h07m`.
public func clockTime(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds < 1e9 else { return "?" }
  let whole = Int(seconds.rounded())
  func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
  if whole < 60 { return "\(whole)s" }
  if whole < 3600 { return "\(whole / 60)m\(two(whole % 60))s" }
  return "\(whole / 3600)h\(two(whole / 60 % 60))m"
}
