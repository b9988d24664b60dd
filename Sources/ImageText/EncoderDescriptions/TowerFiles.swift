/// The names of the files in a frozen tower's folder.
public enum TowerFiles {
  public static let configuration = "config.json"
  public static let weights = "model.safetensors"
  public static let tokenizer = "tokenizer.json"
}
