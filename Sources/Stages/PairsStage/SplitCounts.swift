import Diagnostics
import JSON
import Pairs

/// Counts what lies in each split, and finds equal pictures in different ones.
struct SplitCounts {
  private struct Count {
    var pictures = 0
    var captions = 0
  }

  private var counts: [PairSplit: Count] = [:]
  /// The split of the first of equal pictures, by half of their digest.
  private var splits: [String: PairSplit] = [:]
  /// Pictures that equal one of another split, if either is trained on.
  private(set) var straddling = 0

  mutating func note(_ picture: SampleRecord.Picture, in split: PairSplit) {
    counts[split, default: Count()].pictures += 1
    counts[split, default: Count()].captions += picture.description.captions.count
    let first = splits[String(picture.pixels.prefix(32)), default: split]
    splits[String(picture.pixels.prefix(32))] = first
    if first != split && (first == .train || split == .train) { straddling += 1 }
  }

  func isEmpty(_ split: PairSplit) -> Bool { counts[split] == nil }

  var json: JSON {
    .object(
      JSONObject(
        counts.sorted { $0.key < $1.key }.map { split, count in
          (split.name, ["pictures": .integer(count.pictures), "captions": .integer(count.captions)])
        }))
  }

  func warn() {
    guard straddling > 0 else { return }
    Log.warning(
      "\(counted(straddling, "picture")) equal one of another split pixel by pixel, because the sources state different "
        + "concepts; their groups tell which")
  }
}
