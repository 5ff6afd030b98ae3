// swift-tools-version: 6.1
import PackageDescription

/// As the command has it.
let allocator: [LinkerSetting] = [.linkedLibrary(":libtcmalloc_minimal.so.4", .when(platforms: [.linux]))]

let library: [Target.Dependency] = [.product(name: "AutoDeepLab", package: "AutoDeepLab")]

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "AutoDeepLab", path: "..")],
    targets: [
        .target(name: "StepCases", dependencies: library),
        .executableTarget(name: "Steps", dependencies: library + ["StepCases"], linkerSettings: allocator),
        .executableTarget(name: "GPUCheck", dependencies: library + ["StepCases"], linkerSettings: allocator),
        .executableTarget(name: "Growth", dependencies: library + ["StepCases"], linkerSettings: allocator),
        .executableTarget(name: "Loading", dependencies: library, linkerSettings: allocator),
        .executableTarget(name: "Soak", dependencies: library, linkerSettings: allocator),
    ],
    swiftLanguageModes: [.v6]
)
