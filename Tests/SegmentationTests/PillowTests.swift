import Foundation
import Images
import TestSupport
import Testing

/// Real files, decoded by Pillow too: masks equal to the pixel, JPEG within one level.
@Suite(.enabled(if: Python.has("PIL", "numpy"), "there is no .venv with Pillow: run scripts/setup.sh --venv"))
struct PillowTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Decodes a file by Pillow; its values in the order of ours.
    private func pillow(_ path: String, mode: String) throws -> [UInt8] {
        let output = try folder.place("values.bin")
        try Python.run(
            """
            import sys
            from PIL import Image, ImageOps
            image = ImageOps.exif_transpose(Image.open(sys.argv[1]))
            if sys.argv[3]: image = image.convert(sys.argv[3])
            open(sys.argv[2], 'wb').write(image.tobytes())
            """, path, output, mode)
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: output)))
    }

    private func files(_ name: String, _ ending: String, _ count: Int) throws -> [String] {
        let root = try #require(sharedData(name))
        let all = (FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []).sorted()
        let found = all.filter { $0.hasSuffix(ending) }
        // Spread over the whole set.
        return stride(from: 0, to: found.count, by: max(1, found.count / count)).map { "\(root)/\(found[$0])" }
    }

    @Test(
        .enabled(if: sharedData("camvid") != nil, "../shared/data is not there"),
        arguments: ["camvid", "VOCdevkit", "ADEChallengeData2016"])
    func jpeg(name: String) throws {
        for path in try files(name, ".jpg", 4) {
            let own = try readImage(path: path).pixels
            let other = try pillow(path, mode: "RGB")
            #expect(own.count == other.count)
            let worst = zip(own, other).map { abs(Int($0) - Int($1)) }.max() ?? 255
            #expect(worst <= 1, "\(path)")
        }
    }

    @Test(
        .enabled(if: sharedData("camvid") != nil, "../shared/data is not there"),
        arguments: [
            ("camvid/valannot", ""), ("nuclei/valannot", ""), ("VOCdevkit/VOC2012/SegmentationClass", ""),
            ("ADEChallengeData2016/annotations", ""), ("cityscapes-mini/gtFine", ""),
        ])
    func masks(name: String, mode: String) throws {
        for path in try files(name, ".png", 4) where !path.contains("instanceIds") {
            #expect(try readMask(path: path).labels == pillow(path, mode: mode), "\(path)")
        }
    }

    @Test(.enabled(if: sharedData("nuclei") != nil, "../shared/data is not there"))
    func png() throws {
        for path in try files("nuclei/test", ".png", 4) + files("cityscapes-mini/leftImg8bit", ".png", 1) {
            #expect(try readImage(path: path).pixels == pillow(path, mode: "RGB"), "\(path)")
        }
    }

    /// Every orientation, as Pillow turns it.
    @Test(arguments: 1...8) func orientation(value: Int) throws {
        let path = try folder.write(JPEGSample.oriented(UInt8(value), littleEndian: true), to: "a.jpg")
        let worst =
            zip(try readImage(path: path).pixels, try pillow(path, mode: "RGB"))
            .map { abs(Int($0) - Int($1)) }.max() ?? 255
        #expect(worst <= 1)
    }
}
