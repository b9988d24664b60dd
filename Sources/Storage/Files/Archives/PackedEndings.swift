/// How the names of packed files end, in lower case.
public enum PackedEndings {
  /// Of one file that is compressed: `a.txt.gz` unpacks to `a.txt`.
  public static let compressions = [".gz", ".bz2", ".xz", ".lzma", ".zst", ".lz4"]
  /// Of archives, compressed or not.
  public static let archives = [".tar", ".tgz", ".tbz2", ".txz", ".tzst", ".zip", ".7z"]
}
