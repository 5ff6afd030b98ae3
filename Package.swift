// swift-tools-version: 6.1
import PackageDescription

/// Where `make setup` puts libtorch (or links the one that LIBTORCH names).
let libtorch = Context.packageDirectory + "/.libtorch/torch"

let torchHeaders: [CXXSetting] = [
    .unsafeFlags([
        "-isystem", libtorch + "/include",
        "-isystem", libtorch + "/include/torch/csrc/api/include",
    ])
]

let torchLibraries: [LinkerSetting] = [
    .linkedLibrary("torch_cpu"),
    .linkedLibrary("c10"),
    .unsafeFlags(["-L" + libtorch + "/lib", "-Xlinker", "-rpath", "-Xlinker", libtorch + "/lib"]),
]

/// Maps come and go by the hundred megabytes, on several threads: this allocator leaves fewer holes than the system's.
let allocator: [LinkerSetting] = [.linkedLibrary(":libtcmalloc_minimal.so.4", .when(platforms: [.linux]))]

let strict: [SwiftSetting] = [.unsafeFlags(["-warnings-as-errors"])]

let package = Package(
    name: "AutoDeepLab",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "SearchSpace", targets: ["SearchSpace"]),
        .library(
            name: "AutoDeepLab",
            targets: ["Torch", "SearchSpace", "Networks", "ArchitectureSearch", "Segmentation", "Experiments"]),
        .executable(name: "autodeeplab", targets: ["autodeeplab"]),
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
        .target(name: "CCodecs", dependencies: ["CLibTIFF", "CLibJPEG"], linkerSettings: [.linkedLibrary("gif")]),
        .target(name: "CTorch", cxxSettings: torchHeaders, linkerSettings: torchLibraries),
        .target(name: "Torch", dependencies: ["CTorch"], swiftSettings: strict),
        .target(name: "SearchSpace", swiftSettings: strict),
        .target(name: "Networks", dependencies: ["Torch", "SearchSpace"], swiftSettings: strict),
        .target(
            name: "ArchitectureSearch", dependencies: ["Torch", "SearchSpace", "Networks"], swiftSettings: strict),
        .target(
            name: "Segmentation", dependencies: ["CSpng", "CTurboJPEG", "CCodecs", "CWebP"], swiftSettings: strict),
        .target(
            name: "Reporting",
            dependencies: ["SearchSpace", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["TensorBoard/Schema/events.proto"], swiftSettings: strict),
        .target(
            name: "Export", dependencies: ["Networks", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["Schema/onnx.proto"], swiftSettings: strict),
        .target(
            name: "Experiments",
            dependencies: [
                "Torch", "SearchSpace", "Networks", "ArchitectureSearch", "Segmentation", "Reporting", "Export",
                .product(name: "Yams", package: "Yams"),
            ],
            resources: [.embedInCode("Presets")],
            swiftSettings: strict),
        .executableTarget(
            name: "autodeeplab",
            dependencies: [
                "Experiments", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict, linkerSettings: allocator),
        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .testTarget(name: "TorchTests", dependencies: ["Torch", "TestSupport"]),
        .testTarget(name: "SearchSpaceTests", dependencies: ["SearchSpace"]),
        .testTarget(name: "NetworksTests", dependencies: ["Networks", "ArchitectureSearch"]),
        .testTarget(name: "GroupTests", dependencies: ["Networks", "ArchitectureSearch", "TestSupport"]),
        .testTarget(name: "SegmentationTests", dependencies: ["Segmentation", "TestSupport"]),
        .testTarget(name: "ReportingTests", dependencies: ["Reporting", "TestSupport"]),
        .testTarget(name: "ExportTests", dependencies: ["Export", "TestSupport"]),
        .testTarget(name: "ExperimentsTests", dependencies: ["Experiments"]),
        .testTarget(name: "CommandTests", dependencies: ["autodeeplab", "TestSupport"], exclude: ["Snapshots"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx20
)
