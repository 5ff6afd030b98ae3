import Foundation
import Segmentation

/// A folder that is removed when its owner goes.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("segmentation-\(UUID())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A path inside, whose folders are made.
    func file(_ name: String) throws -> String {
        let url = URL(fileURLWithPath: path).appendingPathComponent(name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        return url.path
    }

    /// Writes bytes to a file inside and gives its path.
    @discardableResult
    func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
        let path = try file(name)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// Writes text to a file inside and gives its path.
    @discardableResult
    func write(_ text: String, to name: String) throws -> String { try write(text.utf8, to: name) }

    /// Writes an image and a mask that tell where each pixel was: red = column, green = row, blue = `mark`, and
    /// label = (column + 2 row) mod 5.
    func writeSample(image: String, mask: String, width: Int, height: Int, mark: UInt8 = 0) throws {
        try writePNG(ramp(width: width, height: height, mark: mark), to: file(image))
        try writePNG(rampMask(width: width, height: height), palette: [], to: file(mask))
    }
}

/// An image whose colours tell each pixel's place.
func ramp(width: Int, height: Int, mark: UInt8 = 0) -> Image {
    var image = Image(width: width, height: height)
    for y in 0..<height { for x in 0..<width { image[x, y] = Color(UInt8(x & 255), UInt8(y & 255), mark) } }
    return image
}

/// A mask whose labels follow from each pixel's place.
func rampMask(width: Int, height: Int) -> Mask {
    Mask(width: width, height: height, labels: (0..<width * height).map { UInt8(($0 % width + 2 * ($0 / width)) % 5) })
}

/// Real data sets, beside the package; nil where they are not there.
func sharedData(_ name: String) -> String? {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let path = package.deletingLastPathComponent().appendingPathComponent("shared/data/\(name)").path
    return FileManager.default.fileExists(atPath: path) ? path : nil
}

/// What a call throws, as text; nil where it throws nothing.
func failure(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch { return "\(error)" }
}
