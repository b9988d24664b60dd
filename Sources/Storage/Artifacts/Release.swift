/// This software's version, as `--version` prints it and manifests record it.
public enum Release {
  public static let version = "0.1.0"
}
