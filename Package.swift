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

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let collections = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")

func library(
  _ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil, exclude: [String] = [],
  embedded: [String] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: path, exclude: exclude, resources: embedded.map { .embedInCode($0) },
    swiftSettings: strict)
}

func stage(_ name: String, _ dependencies: [Target.Dependency], embedded: [String] = []) -> Target {
  library(
    name, ["Artifacts", "Diagnostics", "StageDescriptions"] + dependencies, path: "Sources/Stages/\(name)",
    embedded: embedded)
}

func program(_ name: String, _ dependencies: [Target.Dependency], torch: Bool = true) -> Target {
  .executableTarget(
    name: name, dependencies: ["Programs", "StageDescriptions"] + dependencies + (torch ? ["Torch"] : []),
    swiftSettings: strict, linkerSettings: [buildIdentity] + (torch ? linkTorch : []))
}

/// - Parameter fixtures: whether there is a folder of files that tests find beside their source.
func tests(_ name: String, _ dependencies: [Target.Dependency], fixtures: Bool = false) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)", exclude: fixtures ? ["Fixtures"] : [],
    swiftSettings: strict, linkerSettings: linkTorch)
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
    // What the system provides.
    .systemLibrary(name: "CProcess"),
    .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    .systemLibrary(name: "CUchardet", pkgConfig: "uchardet", providers: [.apt(["libuchardet-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CJSON", pkgConfig: "json-c", providers: [.apt(["libjson-c-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

    // Tensors.
    .target(
      name: "CTorch",
      cxxSettings: [
        .unsafeFlags([
          "-isystem", "\(libtorch)/include", "-isystem", "\(libtorch)/include/torch/csrc/api/include",
          "-Wall", "-Wextra", "-Werror",
        ])
      ]),
    library("Torch", ["CTorch", "Diagnostics"]),

    // Files and words for people.
    library("Diagnostics", ["CProcess"]),
    library("Pages", ["Diagnostics"]),
    library(
      "Artifacts", ["Diagnostics", "CArchive", "CZlib", "CUchardet", "CJSON", "CCrypto", collections],
      exclude: ["FORMAT.md"]),
    library("Configuration", ["Diagnostics", "Artifacts", yams]),
    library("StageDescriptions", ["Configuration", "ModelFiles", "Artifacts", "Diagnostics"]),
    library("Programs", ["StageDescriptions", "Configuration", "Artifacts", "Diagnostics", argumentParser]),
    library(
      "Pipelines", ["StageDescriptions", "Pages", "Configuration", "Artifacts", "Diagnostics", subprocess, system]),

    // Models and text.
    library("ModelFiles", ["Artifacts", "Diagnostics"]),
    library("Weights", ["ModelFiles", "Artifacts", "Torch", "Diagnostics"]),
    library("Tokenization", ["ModelFiles", "Artifacts", "Configuration", "Diagnostics", heap]),
    library("LanguageModels", ["ModelFiles", "Artifacts", "Torch", "Weights", "Diagnostics"]),
    library("TempNet", ["Torch", "Weights", "StageDescriptions", "Diagnostics"]),
    library("Training", ["Torch", "Weights", "Tokenization", "Artifacts", "StageDescriptions", "Diagnostics"]),
    library("Evaluation", ["Pages", "Artifacts", "Diagnostics"]),
    library("Scoring", ["Evaluation", "Tokenization", "StageDescriptions", "Artifacts", "Diagnostics"]),
    library(
      "Generation", ["LanguageModels", "ModelFiles", "Tokenization", "TempNet", "Torch", "Artifacts", "Diagnostics"]),

    // Where the parts meet.
    stage("TokenizeStage", ["Tokenization"]),
    stage("PretrainStage", ["Training", "LanguageModels", "ModelFiles", "TempNet", "Tokenization", "Weights"]),
    stage("FeaturesStage", ["Training", "LanguageModels", "TempNet", "Tokenization", "Torch", "Weights"]),
    stage("ImportStage", ["TempNet", "Weights"]),
    stage("FitStage", ["Training", "TempNet", "Evaluation", "Weights", "Torch"]),
    stage(
      "EvaluateStage",
      ["Scoring", "Evaluation", "Training", "LanguageModels", "TempNet", "Tokenization", "Weights", "Torch"]),
    stage(
      "ExportStage", ["LanguageModels", "ModelFiles", "Tokenization", "Weights", "TempNet"],
      embedded: ["Resources/tempnet.py"]),

    program("tempnet-tokenize", ["TokenizeStage"], torch: false),
    program("tempnet-pretrain", ["PretrainStage"]),
    program("tempnet-features", ["FeaturesStage", "Configuration", "Artifacts", argumentParser]),
    program("tempnet-fit", ["FitStage"]),
    program("tempnet-import", ["ImportStage", "Configuration", "Artifacts", argumentParser]),
    program("tempnet-evaluate", ["EvaluateStage"]),
    program("tempnet-export", ["ExportStage"]),
    program(
      "tempnet-generate",
      [
        "Generation", "LanguageModels", "ModelFiles", "TempNet", "Tokenization", "Training", "Artifacts", "Diagnostics",
        argumentParser,
      ]),
    program("tempnet-run", ["Pipelines", "Configuration", "Artifacts", "Diagnostics", argumentParser], torch: false),

    library("TestSupport", ["Artifacts", "Diagnostics"], path: "Tests/Support"),
    tests("Torch", ["Torch", "CTorch", "TestSupport"]),
    tests("Diagnostics", ["Diagnostics", "TestSupport"]),
    tests("Artifacts", ["Artifacts", "Diagnostics", "CArchive", "TestSupport"], fixtures: true),
    tests("Configuration", ["Configuration", "Artifacts", "TestSupport"]),
    tests("StageDescriptions", ["StageDescriptions", "TestSupport"]),
    tests("Pipelines", ["Pipelines", "TestSupport"]),
    tests("ModelFiles", ["ModelFiles", "Artifacts", "Diagnostics", "TestSupport"], fixtures: true),
    tests("Weights", ["Weights", "Torch", "Artifacts", "Diagnostics", "TestSupport"], fixtures: true),
    tests(
      "Tokenization",
      [
        "Tokenization", "TokenizeStage", "StageDescriptions", "Configuration", "ModelFiles", "Artifacts",
        "Diagnostics", "TestSupport",
      ],
      fixtures: true),
    tests(
      "LanguageModels",
      ["LanguageModels", "ModelFiles", "Artifacts", "Weights", "Torch", "Diagnostics", "TestSupport"],
      fixtures: true),
    tests("TempNet", ["TempNet", "StageDescriptions", "Torch", "Weights", "Diagnostics"], fixtures: true),
    tests(
      "Generation",
      ["Generation", "LanguageModels", "Tokenization", "TempNet", "Torch", "Artifacts", "Diagnostics", "TestSupport"],
      fixtures: true),
    tests("Training", ["Training", "Artifacts", "Torch", "Diagnostics", "TestSupport"]),
    tests(
      "PretrainStage",
      [
        "PretrainStage", "TokenizeStage", "Training", "Configuration", "LanguageModels", "ModelFiles", "Weights",
        "TempNet", "Torch", "Artifacts", "Diagnostics", "TestSupport",
      ],
      fixtures: true),
    tests("Pages", ["Pages"]),
    tests("Evaluation", ["Evaluation", "Pages", "Artifacts"], fixtures: true),
    tests(
      "Scoring",
      [
        "Scoring", "EvaluateStage", "Evaluation", "StageDescriptions", "LanguageModels", "TempNet", "Tokenization",
        "Weights", "Torch", "Artifacts", "Diagnostics", "TestSupport",
      ],
      fixtures: true),
    tests(
      "EvaluateStage",
      [
        "EvaluateStage", "TokenizeStage", "Evaluation", "StageDescriptions", "Configuration", "LanguageModels",
        "TempNet",
        "Tokenization", "Weights", "Torch", "Artifacts", "Diagnostics", "TestSupport",
      ]),
    tests(
      "ExportStage",
      [
        "ExportStage", "Evaluation", "StageDescriptions", "Configuration", "LanguageModels", "ModelFiles",
        "Tokenization", "TempNet", "Weights", "Torch", "Artifacts", "Diagnostics", "TestSupport",
      ], fixtures: true),
    tests(
      "FeaturesStage",
      [
        "FeaturesStage", "TokenizeStage", "Training", "LanguageModels", "TempNet", "Tokenization", "Torch", "Weights",
        "StageDescriptions", "Configuration", "Artifacts", "Diagnostics", "TestSupport",
      ]),
    tests(
      "FitStage",
      [
        "FitStage", "FeaturesStage", "TempNet", "StageDescriptions", "Configuration", "Weights", "Torch", "Artifacts",
        "Diagnostics", "TestSupport",
      ]),
    tests(
      "ImportStage",
      [
        "ImportStage", "TempNet", "StageDescriptions", "Configuration", "Weights", "Torch", "Artifacts", "Diagnostics",
        "TestSupport",
      ]),
    tests("EndToEnd", ["Artifacts", "Diagnostics", "TestSupport"], fixtures: true),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)
