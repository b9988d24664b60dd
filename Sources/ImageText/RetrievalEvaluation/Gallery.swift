import Diagnostics
import Pages
import Pairs
import WireFormats

/// The pictures that a report may show, with their words.
public struct Gallery: Sendable {
  public let table: PairTable
  private let choice: PictureChoice
  private let pixels: (@Sendable ([Int]) throws -> [UInt8])?
  private let size: Int
  private var shown: [Int: [UInt8]] = [:]

  /// - Parameters:
  ///   - pairs: nil shows no picture.
  public init(_ table: PairTable, _ choice: PictureChoice, pairs: PairsArtifact?) {
    self.table = table
    self.choice = choice
    size = pairs?.size ?? 0
    pixels = pairs.map { pairs in { @Sendable positions in pairs.pixels(positions) } }
  }

  /// Whether a picture may be shown and its pixels are at hand.
  public func mayShow(_ position: Int) -> Bool {
    pixels != nil && choice != .none && (choice == .all || table.pictures[position].isFree)
  }

  /// Encodes those of the pictures that may be shown.
  public mutating func load(_ positions: some Sequence<Int>) throws {
    guard let pixels else { return }
    for position in positions where shown[position] == nil && mayShow(position) {
      let thumbnail = Thumbnail(try pixels([position]), size: size, atMost: Self.side)
      shown[position] = PNG.file(rgb: thumbnail.pixels, width: thumbnail.size, height: thumbnail.size)
    }
  }

  /// The greatest side of a picture in a page, in pixels.
  private static let side = 96

  /// A picture's title, source and licence, with the picture itself where it was loaded.
  func card(_ position: Int, note: String = "") -> HTML {
    let picture = table.pictures[position]
    let title = table.captions[picture.captions.lowerBound].text
    let origin = "\(picture.source), \(picture.licence ?? "licence not stated")"
    return .pictureCard(
      shown[position], title: title, lines: (note.isEmpty ? [] : [note]) + [origin],
      absence: pixels == nil ? "no pixels at hand" : choice == .none ? "pictures left out" : "not shown for its licence"
    )
  }

  /// Says how many of some pictures are not shown for their licence, and how they are; nil where all are.
  func hiddenNote(_ positions: some Sequence<Int>) -> String? {
    guard pixels != nil, choice == .free else { return nil }
    let hidden = Set(positions).count { !mayShow($0) }
    guard hidden > 0 else { return nil }
    return
      "Of \(counted(hidden, "picture")) only title, source and licence are shown, because the licence does not allow "
      + "more in what is passed on without conditions; report.pictures: all shows every picture, where that is no matter."
  }
}

/// A square picture made smaller by whole factors: means of blocks of pixels.
private struct Thumbnail {
  let pixels: [UInt8]
  let size: Int

  init(_ pixels: [UInt8], size: Int, atMost side: Int) {
    var factor = 1
    while size / factor > side { factor += 1 }
    let small = size / factor
    var result = [UInt8](repeating: 0, count: small * small * 3)
    for y in 0..<small {
      for x in 0..<small {
        for channel in 0..<3 {
          var sum = 0
          for dy in 0..<factor {
            for dx in 0..<factor {
              sum += Int(pixels[((y * factor + dy) * size + x * factor + dx) * 3 + channel])
            }
          }
          result[(y * small + x) * 3 + channel] = UInt8((sum + factor * factor / 2) / (factor * factor))
        }
      }
    }
    (self.pixels, self.size) = (result, small)
  }
}
