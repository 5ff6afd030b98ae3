// swift-tools-version: 6.1
import PackageDescription

let library: [Target.Dependency] = [.product(name: "AutoDeepLab", package: "AutoDeepLab")]

let package = Package(
    name: "Examples",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "AutoDeepLab", path: "..")],
    targets: [
        .executableTarget(name: "SegmentImage", dependencies: library),
        .executableTarget(name: "ServeImages", dependencies: library),
        .executableTarget(name: "OwnSearch", dependencies: library),
        .executableTarget(name: "GumbelSearch", dependencies: library),
    ],
    swiftLanguageModes: [.v6]
)
