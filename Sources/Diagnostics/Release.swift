/// The release that this code belongs to; in `--version` and in the manifest of every artifact.
public enum Release {
  public static let version = "0.1.0"
}
