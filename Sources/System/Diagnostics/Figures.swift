/// A figure with so many digits after the point. One that they would show as zero gets two more, and one that is too
/// small even for those stands as a bound: `0` is only what is zero, and a sign never stands before nothing.
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

/// A number of things: `1 item`, `2 items`.
public func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
