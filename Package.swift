// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// The folder that holds libtorch's `include` and `lib`: `.libtorch` beside this file, where
/// `scripts/set-up` puts it, or another one that the environment names.
let libtorch =
  ProcessInfo.processInfo.environment["LIBTORCH"] ?? "\(Context.packageDirectory)/.libtorch"

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// Flags for whatever links `CTorch`; only programs and tests that need tensors carry them.
let linkTorch: [LinkerSetting] = [
  .unsafeFlags(["-L\(libtorch)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(libtorch)/lib"]),
  .linkedLibrary("torch_cpu"), .linkedLibrary("c10"),
]

/// A digest of what was linked, which `--version` shows.
let buildIdentity = LinkerSetting.unsafeFlags(["-Xlinker", "--build-id=sha1"])

/// The floors of `Sources`, from the ground up. `scripts/check-targets` refuses a target that depends on a higher one.
enum Floor: String {
  case system = "System"
  case tensors = "Tensors"
  case storage = "Storage"
  case reporting = "Reporting"
  case training = "Training"
  case temperatures = "Temperatures"
  case language = "Language"
  case imageText = "ImageText"
  case pipelines = "Pipelines"
  case stages = "Stages"
  case programs = "Programs"
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let collections = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")

func library(
  _ floor: Floor, _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [],
  embedded: [String] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/\(floor.rawValue)/\(name)", exclude: exclude,
    resources: embedded.map { .embedInCode($0) }, swiftSettings: strict)
}

/// A library of the system, which apt provides.
func system(_ name: String, pkgConfig: String? = nil, package: String? = nil) -> Target {
  .systemLibrary(
    name: name, path: "Sources/System/\(name)", pkgConfig: pkgConfig, providers: package.map { [.apt([$0])] })
}

/// - Parameter torch: whether it links libtorch, which takes most of a start.
func program(_ name: String, _ dependencies: [Target.Dependency], torch: Bool = true) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: "Sources/Programs/\(name)", swiftSettings: strict,
    linkerSettings: [buildIdentity] + (torch ? linkTorch : []))
}

/// - Parameter fixtures: folders of files that tests find beside their source.
func tests(_ floor: Floor, _ name: String, _ dependencies: [Target.Dependency], fixtures: [String] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(floor.rawValue)/\(name)",
    exclude: fixtures, swiftSettings: strict, linkerSettings: linkTorch)
}

let package = Package(
  name: "tempnet",
  products: [],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
    // Without its trait for Foundation, which only adds to start-up.
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0", traits: []),
  ],
  targets: [
    system("CProcess"),
    system("CArchive", pkgConfig: "libarchive", package: "libarchive-dev"),
    system("CUchardet", pkgConfig: "uchardet", package: "libuchardet-dev"),
    system("CZlib", pkgConfig: "zlib", package: "zlib1g-dev"),
    system("CJSON", pkgConfig: "json-c", package: "libjson-c-dev"),
    system("CCrypto", pkgConfig: "libcrypto", package: "libssl-dev"),
    .target(
      name: "CPictures", path: "Sources/System/CPictures",
      cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
      linkerSettings: ["turbojpeg", "png", "webp", "webpdemux", "gif", "exif"].map { .linkedLibrary($0) }),
    library(.system, "Diagnostics", ["CProcess"]),
    library(.system, "RandomNumbers", []),

    .target(
      name: "CTorch", path: "Sources/Tensors/CTorch",
      cxxSettings: [
        .unsafeFlags([
          "-isystem", "\(libtorch)/include", "-isystem", "\(libtorch)/include/torch/csrc/api/include",
          "-Wall", "-Wextra", "-Werror",
        ])
      ]),
    library(.tensors, "Torch", ["CTorch", "Diagnostics", "RandomNumbers"]),

    library(.storage, "Files", ["CArchive", "CCrypto", "CProcess", "CUchardet", "CZlib", "Diagnostics"]),
    library(.storage, "JSON", ["CJSON", "Diagnostics", "Files", collections]),
    library(.storage, "Artifacts", ["Diagnostics", "Files", "JSON"], exclude: ["FORMAT.md"]),
    library(.storage, "Configuration", ["Diagnostics", "Files", "JSON", yams]),
    library(.storage, "DataDescriptors", ["Artifacts", "Configuration", "Diagnostics", "Files"]),
    library(.storage, "WireFormats", ["CZlib", "Diagnostics"]),
    library(.storage, "ModelFiles", ["Artifacts", "Diagnostics", "Files", "JSON"]),
    library(.storage, "Weights", ["Diagnostics", "Files", "JSON", "ModelFiles", "Torch"]),

    library(.reporting, "Pages", ["Diagnostics"]),
    library(.reporting, "Statistics", ["RandomNumbers"]),
    library(.reporting, "Reports", ["Diagnostics", "JSON", "Pages", "Statistics"]),

    library(.training, "TrainingOptions", ["Configuration", "JSON"]),
    library(.training, "ProcessGroups", ["Diagnostics", "Torch"]),
    library(
      .training, "Training",
      [
        "Artifacts", "Diagnostics", "Files", "JSON", "ProcessGroups", "RandomNumbers", "Torch", "TrainingOptions",
        "Weights", "WireFormats",
      ]),

    library(.temperatures, "TemperatureSettings", ["Artifacts", "Diagnostics", "Files"]),
    library(
      .temperatures, "TempNet",
      ["Artifacts", "Diagnostics", "Files", "JSON", "TemperatureSettings", "Torch", "Weights"]),

    library(.language, "ModelDescriptions", ["Diagnostics", "JSON"]),
    library(
      .language, "Tokenization", ["Artifacts", "DataDescriptors", "Diagnostics", "Files", "JSON", "ModelFiles", heap]),
    library(.language, "TokenWindows", ["Diagnostics", "LanguageModels", "Tokenization", "Torch", "Training"]),
    library(
      .language, "LanguageModels",
      ["Diagnostics", "Files", "JSON", "ModelDescriptions", "ModelFiles", "Torch", "Weights"]),
    library(
      .language, "Generation",
      [
        "Diagnostics", "Files", "JSON", "LanguageModels", "ModelFiles", "RandomNumbers", "TempNet",
        "TemperatureSettings", "Tokenization", "Torch",
      ]),
    library(.language, "Tasks", ["Configuration", "Diagnostics", "Files", "JSON"]),
    library(
      .language, "LanguageEvaluation",
      [
        "Artifacts", "Diagnostics", "Files", "JSON", "Pages", "Reports", "Statistics", "Tasks", "TemperatureSettings",
        "Tokenization",
      ]),

    library(.imageText, "Pictures", ["CPictures", "Diagnostics", "Pairs", "RandomNumbers", "Torch"]),
    library(.imageText, "ContrastiveLosses", ["Diagnostics", "TemperatureSettings", "Torch"]),
    library(.imageText, "Pairs", ["Artifacts", "DataDescriptors", "Diagnostics", "Files", "JSON", "WireFormats"]),
    library(.imageText, "EncoderDescriptions", ["Diagnostics", "Files", "JSON", "ModelFiles"]),
    library(
      .imageText, "ImageTextModels",
      [
        "Artifacts", "Diagnostics", "EncoderDescriptions", "Files", "JSON", "LanguageModels", "ModelDescriptions",
        "ModelFiles", "Pairs", "Pictures", "Tokenization", "Torch", "Weights",
      ]),
    library(
      .imageText, "RetrievalEvaluation",
      [
        "Diagnostics", "EncoderDescriptions", "JSON", "Pages", "Pairs", "Reports", "Statistics", "TempNet",
        "TemperatureSettings", "Torch", "WireFormats",
      ]),

    library(
      .pipelines, "StageDescriptions",
      [
        "Artifacts", "Configuration", "Diagnostics", "EncoderDescriptions", "Files", "JSON", "ModelDescriptions",
        "ModelFiles", "Pairs", "Reports", "Tasks", "TemperatureSettings", "TrainingOptions",
      ]),
    library(
      .pipelines, "Pipelines",
      [
        "Artifacts", "Configuration", "DataDescriptors", "Diagnostics", "Files", "JSON", "Pages", "Reports",
        "StageDescriptions", subprocess, systemPackage,
      ]),

    library(
      .stages, "PairsStage",
      [
        "Artifacts", "Diagnostics", "Files", "JSON", "Pairs", "Pictures", "StageDescriptions", "Torch", "WireFormats",
        collections,
      ]),
    library(
      .stages, "TokenizeStage", ["Artifacts", "Diagnostics", "Files", "JSON", "StageDescriptions", "Tokenization"]),
    library(
      .stages, "PretrainStage",
      [
        "Artifacts", "Diagnostics", "Files", "JSON", "LanguageModels", "ModelDescriptions", "ModelFiles",
        "StageDescriptions", "TempNet", "TemperatureSettings", "TokenWindows", "Tokenization", "Torch", "Training",
        "TrainingOptions",
      ]),
    library(
      .stages, "EmbedStage",
      [
        "Artifacts", "Diagnostics", "EncoderDescriptions", "Files", "ImageTextModels", "JSON", "ModelFiles", "Pairs",
        "Pictures", "RandomNumbers", "StageDescriptions", "Torch", "Training", "WireFormats",
      ]),
    library(
      .stages, "FeaturesStage",
      [
        "Artifacts", "Diagnostics", "Files", "ImageTextModels", "JSON", "LanguageModels", "ModelDescriptions", "Pairs",
        "RetrievalEvaluation", "StageDescriptions", "Statistics", "TempNet", "TemperatureSettings", "TokenWindows",
        "Tokenization", "Torch", "Training",
      ]),
    library(
      .stages, "ImportStage",
      ["Artifacts", "Diagnostics", "StageDescriptions", "TempNet", "TemperatureSettings", "Weights"]),
    library(
      .stages, "ContrastStage",
      [
        "Artifacts", "ContrastiveLosses", "Diagnostics", "EncoderDescriptions", "ImageTextModels", "JSON", "Pairs",
        "Pictures", "RandomNumbers", "RetrievalEvaluation", "StageDescriptions", "Statistics", "TempNet",
        "TemperatureSettings", "Torch", "Training", "TrainingOptions", "Weights",
      ]),
    library(
      .stages, "FitStage",
      [
        "Artifacts", "Diagnostics", "JSON", "StageDescriptions", "Statistics", "TempNet", "TemperatureSettings",
        "Torch", "Training", "TrainingOptions",
      ]),
    library(
      .stages, "ScoreStage",
      [
        "Artifacts", "Diagnostics", "Files", "JSON", "LanguageEvaluation", "LanguageModels", "Reports",
        "StageDescriptions", "Tasks", "TempNet", "TemperatureSettings", "TokenWindows", "Tokenization", "Torch",
        "Training", "Weights",
      ]),
    library(
      .stages, "EvaluateStage",
      [
        "Artifacts", "Diagnostics", "Files", "JSON", "LanguageEvaluation", "Reports", "ScoreStage", "StageDescriptions",
        "Statistics", "TempNet", "TemperatureSettings", "TokenWindows", "Tokenization", "Torch", "Training", "Weights",
      ]),
    library(
      .stages, "RetrieveStage",
      [
        "Artifacts", "Diagnostics", "EncoderDescriptions", "Files", "ImageTextModels", "JSON", "Pairs", "Reports",
        "RetrievalEvaluation", "StageDescriptions", "TempNet", "TemperatureSettings", "Torch", "Weights",
      ]),
    library(
      .stages, "ConvertStage",
      ["Artifacts", "Diagnostics", "EncoderDescriptions", "ImageTextModels", "JSON", "StageDescriptions"]),
    library(
      .stages, "ExportStage",
      [
        "Artifacts", "ContrastiveLosses", "Diagnostics", "EncoderDescriptions", "Files", "ImageTextModels", "JSON",
        "LanguageEvaluation", "LanguageModels", "ModelFiles", "Pairs", "Pictures", "RetrievalEvaluation",
        "StageDescriptions", "TempNet", "TemperatureSettings", "Tokenization", "Torch", "Weights", "WireFormats",
      ], embedded: ["Resources/tempnet.py", "Resources/dual_encoder.py"]),

    library(
      .programs, "ProgramSupport",
      ["Artifacts", "Configuration", "Diagnostics", "Files", "StageDescriptions", argumentParser]),
    program(
      "tempnet-tokenize",
      ["Artifacts", "Configuration", "JSON", "ProgramSupport", "StageDescriptions", "TokenizeStage", argumentParser],
      torch: false),
    program(
      "tempnet-pairs",
      ["Artifacts", "Configuration", "PairsStage", "ProgramSupport", "StageDescriptions", "Torch", argumentParser]),
    program(
      "tempnet-pretrain",
      ["Artifacts", "Configuration", "PretrainStage", "ProgramSupport", "StageDescriptions", "Torch", argumentParser]),
    program(
      "tempnet-embed",
      ["Artifacts", "Configuration", "EmbedStage", "ProgramSupport", "StageDescriptions", "Torch", argumentParser]),
    program(
      "tempnet-features",
      ["Artifacts", "Configuration", "FeaturesStage", "ProgramSupport", "StageDescriptions", "Torch", argumentParser]),
    program(
      "tempnet-contrast",
      ["Artifacts", "ContrastStage", "ProgramSupport", "StageDescriptions", "Torch", argumentParser]),
    program("tempnet-fit", ["Artifacts", "FitStage", "ProgramSupport", "StageDescriptions", "Torch", argumentParser]),
    program(
      "tempnet-convert",
      ["Artifacts", "Configuration", "ConvertStage", "ProgramSupport", "StageDescriptions", "Torch", argumentParser]),
    program(
      "tempnet-import",
      ["Artifacts", "Configuration", "ImportStage", "ProgramSupport", "StageDescriptions", "Torch", argumentParser]),
    program(
      "tempnet-score",
      ["Artifacts", "Configuration", "ProgramSupport", "ScoreStage", "StageDescriptions", "Torch", argumentParser]),
    program(
      "tempnet-evaluate",
      [
        "Artifacts", "Configuration", "Diagnostics", "EvaluateStage", "ProgramSupport", "StageDescriptions",
        "TemperatureSettings", "Torch", argumentParser,
      ]),
    program(
      "tempnet-retrieve",
      ["Artifacts", "ProgramSupport", "RetrieveStage", "StageDescriptions", "Torch", argumentParser]),
    program(
      "tempnet-export",
      ["Artifacts", "Configuration", "ExportStage", "ProgramSupport", "StageDescriptions", "Torch", argumentParser]),
    program(
      "tempnet-generate",
      [
        "Artifacts", "Configuration", "Diagnostics", "Files", "Generation", "JSON", "LanguageModels", "ModelFiles",
        "ProgramSupport", "TempNet", "TemperatureSettings", "Tokenization", "Torch", "Training", "TrainingOptions",
        argumentParser,
      ]),
    program(
      "tempnet-run",
      ["Artifacts", "Configuration", "Diagnostics", "Files", "Pipelines", "ProgramSupport", argumentParser],
      torch: false),

    .target(
      name: "TestSupport", dependencies: ["Diagnostics", "Files", "ProcessGroups", "RandomNumbers"],
      path: "Tests/Support",
      swiftSettings: strict),
    tests(.system, "Diagnostics", ["Diagnostics", "TestSupport"]),
    tests(.system, "RandomNumbers", ["RandomNumbers"]),
    tests(.tensors, "Torch", ["CTorch", "Diagnostics", "RandomNumbers", "TestSupport", "Torch"]),
    tests(
      .storage, "Files", ["CArchive", "Diagnostics", "Files", "JSON", "RandomNumbers", "TestSupport"],
      fixtures: ["Fixtures"]),
    tests(.storage, "JSON", ["Diagnostics", "Files", "JSON", "TestSupport"]),
    tests(.storage, "Artifacts", ["Artifacts", "Diagnostics", "Files", "JSON", "TestSupport"], fixtures: ["Fixtures"]),
    tests(.storage, "Configuration", ["Configuration", "Diagnostics", "Files", "JSON", "TestSupport"]),
    tests(
      .storage, "ModelFiles", ["Diagnostics", "Files", "ModelFiles", "RandomNumbers", "TestSupport"],
      fixtures: ["Fixtures"]),
    tests(.storage, "Weights", ["Diagnostics", "Files", "TestSupport", "Torch", "Weights"], fixtures: ["Fixtures"]),
    tests(.storage, "DataDescriptors", ["DataDescriptors", "Files", "TestSupport"]),
    tests(.storage, "WireFormats", ["Diagnostics", "WireFormats"]),
    tests(.reporting, "Pages", ["Pages"]),
    tests(.reporting, "Reports", ["Diagnostics", "JSON", "Pages", "Reports", "Statistics"]),
    tests(.training, "TrainingOptions", ["TrainingOptions"]),
    tests(.training, "ProcessGroups", ["Diagnostics", "ProcessGroups", "TestSupport", "Torch"]),
    tests(
      .reporting, "Statistics", ["Files", "JSON", "RandomNumbers", "Statistics", "TestSupport"], fixtures: ["Fixtures"]),
    tests(
      .training, "Training",
      [
        "Artifacts", "Diagnostics", "Files", "JSON", "ProcessGroups", "TestSupport", "Torch", "Training",
        "TrainingOptions", "WireFormats",
      ]),
    tests(.temperatures, "TemperatureSettings", ["TemperatureSettings"]),
    tests(
      .temperatures, "TempNet",
      [
        "Diagnostics", "Files", "JSON", "RandomNumbers", "StageDescriptions", "Statistics", "TempNet",
        "TemperatureSettings", "TestSupport", "Torch", "Weights",
      ],
      fixtures: ["Fixtures"]),
    tests(
      .language, "Tokenization",
      [
        "Artifacts", "Configuration", "Diagnostics", "Files", "JSON", "ModelFiles", "RandomNumbers",
        "StageDescriptions", "TestSupport", "Tokenization", "TokenizeStage",
      ], fixtures: ["Fixtures"]),
    tests(.language, "TokenWindows", ["Diagnostics", "TokenWindows"]),
    tests(
      .language, "LanguageModels",
      [
        "Diagnostics", "Files", "JSON", "LanguageModels", "ModelDescriptions", "ModelFiles", "RandomNumbers",
        "TestSupport", "Torch", "Weights",
      ],
      fixtures: ["Fixtures"]),
    tests(
      .language, "Generation",
      [
        "Diagnostics", "Files", "Generation", "JSON", "LanguageModels", "ModelDescriptions", "TempNet",
        "TemperatureSettings", "TestSupport", "Tokenization", "Torch",
      ], fixtures: ["Fixtures"]),
    tests(
      .language, "LanguageEvaluation",
      [
        "Artifacts", "Diagnostics", "EvaluateStage", "Files", "JSON", "LanguageEvaluation", "LanguageModels", "Reports",
        "ScoreStage", "StageDescriptions", "Statistics", "Tasks", "TempNet", "TemperatureSettings", "TestSupport",
        "Tokenization", "Torch",
      ], fixtures: ["Fixtures", "Tasks/Fixtures"]),
    tests(
      .imageText, "Pictures", ["Diagnostics", "Files", "JSON", "Pairs", "Pictures", "TestSupport", "Torch"],
      fixtures: ["Fixtures"]),
    tests(
      .imageText, "ContrastiveLosses",
      ["ContrastiveLosses", "Diagnostics", "TempNet", "TemperatureSettings", "TestSupport", "Torch", "Weights"],
      fixtures: ["Fixtures"]),
    tests(.imageText, "Pairs", ["Artifacts", "Diagnostics", "Files", "JSON", "Pairs", "TestSupport", "WireFormats"]),
    tests(
      .imageText, "ImageTextModels",
      [
        "Artifacts", "Diagnostics", "EncoderDescriptions", "Files", "ImageTextModels", "JSON", "Pairs", "Pictures",
        "TestSupport", "Tokenization", "Torch", "Weights",
      ], fixtures: ["Fixtures"]),
    tests(
      .imageText, "RetrievalEvaluation",
      ["Files", "JSON", "Pairs", "Pictures", "RetrievalEvaluation", "TestSupport", "Torch", "WireFormats"],
      fixtures: ["Fixtures"]),
    tests(
      .pipelines, "StageDescriptions",
      [
        "Artifacts", "Configuration", "Diagnostics", "Files", "JSON", "StageDescriptions", "TestSupport",
        "TrainingOptions",
      ]),
    tests(
      .pipelines, "Pipelines",
      ["Artifacts", "Configuration", "Diagnostics", "Files", "JSON", "Pipelines", "StageDescriptions", "TestSupport"],
      fixtures: ["Fixtures"]),
    tests(
      .stages, "PairsStage",
      [
        "Artifacts", "Configuration", "Diagnostics", "Files", "JSON", "Pairs", "PairsStage", "StageDescriptions",
        "TestSupport",
      ]),
    tests(
      .stages, "PretrainStage",
      [
        "Artifacts", "Configuration", "Diagnostics", "Files", "JSON", "LanguageModels", "ModelDescriptions",
        "ModelFiles", "PretrainStage", "ProcessGroups", "StageDescriptions", "TempNet", "TestSupport", "TokenWindows",
        "TokenizeStage", "Torch", "Training", "TrainingOptions", "Weights",
      ], fixtures: ["Fixtures"]),
    tests(
      .stages, "ConvertStage",
      [
        "Artifacts", "Configuration", "ConvertStage", "Diagnostics", "Files", "ImageTextModels", "JSON",
        "StageDescriptions", "TestSupport", "Torch",
      ], fixtures: ["Fixtures"]),
    tests(
      .stages, "EmbedStage",
      [
        "Artifacts", "Configuration", "Diagnostics", "EmbedStage", "EncoderDescriptions", "Files", "ImageTextModels",
        "Pairs", "Pictures", "StageDescriptions", "TestSupport", "Torch", "WireFormats",
      ]),
    tests(
      .stages, "FeaturesStage",
      [
        "Artifacts", "Configuration", "Diagnostics", "EncoderDescriptions", "FeaturesStage", "Files", "ImageTextModels",
        "JSON", "LanguageModels", "ModelDescriptions", "Pairs", "StageDescriptions", "TempNet", "TemperatureSettings",
        "TestSupport", "Tokenization", "TokenizeStage", "Torch", "Weights",
      ], fixtures: ["Fixtures"]),
    tests(
      .stages, "ImportStage",
      [
        "Artifacts", "Configuration", "Diagnostics", "Files", "ImportStage", "StageDescriptions", "TempNet",
        "TemperatureSettings", "TestSupport", "Torch", "Weights",
      ]),
    tests(
      .stages, "ContrastStage",
      [
        "Artifacts", "Configuration", "ContrastStage", "ContrastiveLosses", "Diagnostics", "EncoderDescriptions",
        "Files", "ImageTextModels", "JSON", "Pairs", "Pictures", "RandomNumbers", "StageDescriptions", "TempNet",
        "TemperatureSettings", "TestSupport", "Torch", "Training", "Weights",
      ]),
    tests(
      .stages, "FitStage",
      [
        "Artifacts", "Configuration", "Diagnostics", "Files", "FitStage", "JSON", "StageDescriptions", "TempNet",
        "TemperatureSettings", "TestSupport", "Torch", "Weights",
      ]),
    tests(
      .stages, "EvaluateStage",
      [
        "Artifacts", "Configuration", "Diagnostics", "EvaluateStage", "Files", "JSON", "LanguageEvaluation",
        "LanguageModels", "ModelDescriptions", "ScoreStage", "StageDescriptions", "TempNet", "TemperatureSettings",
        "TestSupport", "TokenWindows", "Tokenization", "TokenizeStage", "Torch", "Weights",
      ]),
    tests(
      .stages, "RetrieveStage",
      [
        "Artifacts", "Configuration", "Diagnostics", "EncoderDescriptions", "Files", "ImageTextModels", "JSON", "Pairs",
        "RandomNumbers", "Reports", "RetrievalEvaluation", "RetrieveStage", "StageDescriptions", "TempNet",
        "TemperatureSettings", "TestSupport", "Torch", "Weights",
      ]),
    tests(
      .stages, "ExportStage",
      [
        "Artifacts", "Configuration", "Diagnostics", "EncoderDescriptions", "ExportStage", "Files", "ImageTextModels",
        "JSON", "LanguageEvaluation", "LanguageModels", "ModelDescriptions", "ModelFiles", "Pairs", "Pictures",
        "Reports", "StageDescriptions", "Statistics", "TempNet", "TemperatureSettings", "TestSupport", "Tokenization",
        "Torch", "Weights",
      ], fixtures: ["Fixtures"]),
    .testTarget(
      name: "EndToEndTests", dependencies: ["Artifacts", "Diagnostics", "Files", "JSON", "TestSupport"],
      path: "Tests/EndToEnd", exclude: ["Fixtures"],
      swiftSettings: strict, linkerSettings: linkTorch),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)
