import Artifacts
import Diagnostics
import Files

/// The file that holds a TempNet, in every artifact and published folder that has one.
public enum TempNetFile {
  public static let name = "tempnet.safetensors"

  /// The path of the TempNet in a folder.
  ///
  /// - Throws: `.missingInput` where there is no such folder, `.badData` where it holds no TempNet.
  public static func find(in folder: String) throws -> String {
    guard try Files.status(folder) != nil else {
      throw Failure(
        .missingInput, "there is no such folder with a TempNet; a policy is \(PolicySpecification.expectation)",
        at: folder)
    }
    let file = "\(folder)/\(name)"
    guard Files.exists(file) else {
      let kind = (try? Manifest(of: folder)).map { "; it is an artifact of kind '\($0.kind)'" } ?? ""
      throw Failure(.badData, "holds no TempNet: no file \(name)\(kind)", at: folder)
    }
    return file
  }
}
