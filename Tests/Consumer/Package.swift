// swift-tools-version: 6.2
import PackageDescription

// Somebody else's package, which `scripts/test-consumer.sh` builds outside of this one: a program for each product, which
// depends on that product alone.
let url = Context.environment["AUTODEEPLAB_URL"] ?? ""
let products = ["Torch", "SearchSpace", "Networks", "Segmentation", "Inference", "AutoDeepLab"]

let package = Package(
    name: "Consumer",
    platforms: [.macOS(.v15)],
    dependencies: [.package(url: url, from: "0.0.1")],
    targets: products.map {
        .executableTarget(name: "Uses" + $0, dependencies: [.product(name: $0, package: "AutoDeepLab")])
    },
    swiftLanguageModes: [.v6]
)
