/// The endings of names of packed files, in lower case.
public enum PackedEndings {
  /// For a single compressed file: `a.txt.gz` unpacks to `a.txt`.
  public static let compressions = [".gz", ".bz2", ".xz", ".lzma", ".zst", ".lz4"]
  /// For archives, compressed or not.
  public static let archives = [".tar", ".tgz", ".tbz2", ".txz", ".tzst", ".zip", ".7z"]
}
