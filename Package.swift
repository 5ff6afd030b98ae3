// swift-tools-version: 6.2
import PackageDescription

/// Where a user's programs keep their data.
let data =
    Context.environment["XDG_DATA_HOME"].flatMap { $0.isEmpty ? nil : $0 }
    ?? (Context.environment["HOME"] ?? "") + "/.local/share"

/// Where libtorch may lie: in this folder, and where all packages of a user that depend on this one look.
///
/// Both are named whether they are there or not: SwiftPM keeps what it once read from a manifest, so a manifest that
/// looked for files would still say what it saw before the set-up.
let libtorch = [Context.packageDirectory + "/.libtorch/torch", data + "/autodeeplab/libtorch-2.15/torch"]

// pkg-config would not do: SwiftPM hands on neither `-isystem` nor an rpath of what it says, without which no program of
// a package that depends on this one would find libtorch. Since tools version 6.2 versioned packages may have unsafe flags.
let torchHeaders: [CXXSetting] = [
    .unsafeFlags(
        libtorch.flatMap { ["-isystem", $0 + "/include", "-isystem", $0 + "/include/torch/csrc/api/include"] })
]

// In C++20 clang takes the headers of a target it depends on for a module, which SwiftPM builds for no C++ target.
let withoutModules: [CXXSetting] = [.unsafeFlags(["-fno-cxx-modules"])]

let torchLibraries: [LinkerSetting] = [
    .linkedLibrary("torch_cpu"),
    .linkedLibrary("c10"),
    .unsafeFlags(libtorch.flatMap { ["-L" + $0 + "/lib", "-Xlinker", "-rpath", "-Xlinker", $0 + "/lib"] }),
]

/// Maps come and go by the hundred megabytes, on several threads: this allocator leaves fewer holes than the system's.
let allocator: [LinkerSetting] = [.linkedLibrary(":libtcmalloc_minimal.so.4", .when(platforms: [.linux]))]

/// What computes: behind the C interfaces CTorch and CSupernet, in C++ on libtorch.
let engine = ["CTorchEngine", "CSupernetEngine"]

/// Of this package alone: where it is a dependency, SwiftPM asks for no warnings at all.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
    name: "AutoDeepLab",
    platforms: [.macOS(.v15)],
    // A product has beside its own target those whose types are part of its interface, and the engine, which no Swift
    // target depends on: the command is linked without it and opens AutoDeepLabEngine where it needs a tensor.
    products: [
        .library(name: "Torch", targets: ["Torch", "CTorchEngine"]),
        .library(name: "SearchSpace", targets: ["SearchSpace"]),
        .library(name: "Networks", targets: ["Networks", "SearchSpace", "Torch"] + engine),
        .library(name: "Segmentation", targets: ["Segmentation", "Datasets", "Images"]),
        .library(
            name: "Inference",
            targets: ["Inference", "Datasets", "Images", "Networks", "SearchSpace", "Torch"] + engine),
        .library(
            name: "AutoDeepLab",
            targets: [
                "Torch", "SearchSpace", "Networks", "ArchitectureSearch", "Images", "Datasets", "Segmentation",
                "Inference", "Configurations", "Runs", "Experiments", "Deployment", "Comparisons", "Planning",
            ] + engine),
        .executable(name: "autodeeplab", targets: ["autodeeplab"]),
        .library(name: "AutoDeepLabEngine", type: .dynamic, targets: engine),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CSpng", pkgConfig: "spng", providers: [.apt(["libspng-dev"]), .brew(["libspng"])]),
        .systemLibrary(
            name: "CTurboJPEG", pkgConfig: "libturbojpeg",
            providers: [.apt(["libturbojpeg0-dev"]), .brew(["jpeg-turbo"])]),
        .systemLibrary(
            name: "CLibTIFF", pkgConfig: "libtiff-4", providers: [.apt(["libtiff-dev"]), .brew(["libtiff"])]),
        .systemLibrary(
            name: "CWebP", pkgConfig: "libwebpdemux", providers: [.apt(["libwebp-dev"]), .brew(["webp"])]),
        .systemLibrary(
            name: "CLibJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]),
        .systemLibrary(
            name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"]), .brew(["xxhash"])]),
        .target(name: "CCodecs", dependencies: ["CLibTIFF", "CLibJPEG"], linkerSettings: [.linkedLibrary("gif")]),
        .target(name: "CTorch"),
        .target(name: "CSupernet", dependencies: ["CTorch"], cSettings: [.headerSearchPath("../CTorch")]),
        .target(
            name: "CTorchEngine", dependencies: ["CTorch"], publicHeadersPath: ".",
            cxxSettings: torchHeaders + withoutModules, linkerSettings: torchLibraries),
        .target(
            name: "CSupernetEngine", dependencies: ["CSupernet", "CTorchEngine"], publicHeadersPath: ".",
            cxxSettings: torchHeaders + withoutModules),
        .target(name: "JSON", swiftSettings: strict),
        .target(name: "Torch", dependencies: ["CTorch", "CXXHash", "JSON"], swiftSettings: strict),
        .target(name: "SearchSpace", dependencies: ["JSON"], swiftSettings: strict),
        .target(name: "Networks", dependencies: ["CSupernet", "Torch", "SearchSpace"], swiftSettings: strict),
        .target(
            name: "ArchitectureSearch", dependencies: ["Torch", "SearchSpace", "Networks"], swiftSettings: strict),
        .target(
            name: "Images", dependencies: ["CSpng", "CTurboJPEG", "CCodecs", "CWebP"], swiftSettings: strict),
        .target(name: "Datasets", dependencies: ["Images", "JSON"], swiftSettings: strict),
        .target(name: "Segmentation", dependencies: ["Images", "Datasets"], swiftSettings: strict),
        .target(
            name: "Inference", dependencies: ["Torch", "SearchSpace", "Networks", "Images", "Datasets"],
            swiftSettings: strict),
        .target(
            name: "Reporting",
            dependencies: ["SearchSpace", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["TensorBoard/Schema/events.proto"], swiftSettings: strict),
        .target(
            name: "Export", dependencies: ["Networks", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["Schema/onnx.proto"], swiftSettings: strict),
        .target(
            name: "Configurations",
            dependencies: [
                "JSON", "Torch", "SearchSpace", "Networks", "Segmentation",
                .product(name: "Yams", package: "Yams"),
            ],
            resources: [.embedInCode("Presets")], swiftSettings: strict),
        .target(
            name: "Runs", dependencies: ["Configurations", "Inference", "JSON", "Reporting"], swiftSettings: strict),
        .target(
            name: "Experiments",
            dependencies: ["ArchitectureSearch", "Inference", "Reporting", "Runs", "Segmentation"],
            swiftSettings: strict),
        .target(name: "Deployment", dependencies: ["Experiments", "Export"], swiftSettings: strict),
        .target(name: "Comparisons", dependencies: ["Experiments", "Deployment"], swiftSettings: strict),
        .target(name: "Planning", dependencies: ["Comparisons"], swiftSettings: strict),
        .executableTarget(
            name: "autodeeplab",
            dependencies: [
                "Comparisons", "Deployment", "Planning", "Experiments", "JSON",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict, linkerSettings: allocator),
        .target(name: "TestSupport", dependencies: ["CTorchEngine", "CSupernetEngine"], path: "Tests/TestSupport"),
        .testTarget(name: "JSONTests", dependencies: ["JSON"]),
        .testTarget(name: "TorchTests", dependencies: ["Torch", "TestSupport"]),
        .testTarget(name: "SearchSpaceTests", dependencies: ["SearchSpace", "TestSupport"]),
        .testTarget(name: "NetworksTests", dependencies: ["Networks", "ArchitectureSearch", "TestSupport"]),
        .testTarget(name: "GroupTests", dependencies: ["Networks", "ArchitectureSearch", "TestSupport"]),
        .testTarget(name: "SegmentationTests", dependencies: ["Segmentation", "TestSupport"]),
        .testTarget(name: "ReportingTests", dependencies: ["Reporting", "TestSupport"]),
        .testTarget(name: "ExportTests", dependencies: ["Export", "TestSupport"]),
        .testTarget(name: "ExperimentsTests", dependencies: ["Comparisons", "TestSupport"]),
        .testTarget(name: "PlanningTests", dependencies: ["Planning", "TestSupport"]),
        .testTarget(name: "ExampleTests", dependencies: ["Experiments", "TestSupport"]),
        .testTarget(name: "CommandTests", dependencies: ["autodeeplab", "TestSupport"], exclude: ["Snapshots"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx20
)

// `make sanitize` builds the kernels, the networks and the readers with their tests, instrumented, and nothing else.
if Context.environment["SANITIZE"] != nil {
    let tests = ["JSONTests", "TorchTests", "SearchSpaceTests", "NetworksTests", "SegmentationTests"]
    let others = [
        "Reporting", "Export", "Inference", "Configurations", "Runs", "Experiments", "Deployment", "Comparisons",
        "Planning", "autodeeplab",
    ]
    package.targets.removeAll { others.contains($0.name) || $0.type == .test && !tests.contains($0.name) }
    package.products = []
}
