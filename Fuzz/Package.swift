// swift-tools-version: 6.1
import PackageDescription

// Needs a toolchain with libFuzzer: `make fuzz` builds it with `--sanitize fuzzer`, which also gives it its `main`.
let package = Package(
    name: "Fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "AutoDeepLab", path: "..")],
    targets: [
        .executableTarget(
            name: "Fuzz", dependencies: [.product(name: "AutoDeepLab", package: "AutoDeepLab")],
            swiftSettings: [.unsafeFlags(["-parse-as-library"])])
    ],
    swiftLanguageModes: [.v6]
)
