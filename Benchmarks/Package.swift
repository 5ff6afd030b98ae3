// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "AutoDeepLab", path: "..")],
    targets: [
        .executableTarget(name: "Steps", dependencies: [.product(name: "AutoDeepLab", package: "AutoDeepLab")]),
        .executableTarget(name: "Loading", dependencies: [.product(name: "AutoDeepLab", package: "AutoDeepLab")]),
        .executableTarget(name: "Soak", dependencies: [.product(name: "AutoDeepLab", package: "AutoDeepLab")]),
    ],
    swiftLanguageModes: [.v6]
)
