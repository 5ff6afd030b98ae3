import Foundation
import Images
import Segmentation
import TestSupport
import Testing

/// A kind of PNG.
struct PNGKind: CustomTestStringConvertible, Sendable {
    let type: UInt8
    let depth: Int
    let interlaced: Bool
    let width: Int
    let height: Int
    var testDescription: String { "type \(type), \(depth) bit, interlaced \(interlaced), \(width)x\(height)" }

    static let all: [PNGKind] = [
        (0, [1, 2, 4, 8, 16]), (2, [8, 16]), (3, [1, 2, 4, 8]), (4, [8, 16]), (6, [8, 16]),
    ]
    .flatMap { (type: UInt8, depths: [Int]) in
        depths.flatMap { depth in
            [false, true].flatMap { interlaced in
                [(1, 1), (7, 5), (41, 33)].map { size in
                    PNGKind(type: type, depth: depth, interlaced: interlaced, width: size.0, height: size.1)
                }
            }
        }
    }

    func builder(maximum: Int? = nil) -> PNGBuilder {
        var random = RandomStream(seed: 5, Int(type), depth, width)
        let limit = min(maximum ?? .max, (1 << depth) - 1)
        let palette = type == 3 ? (0..<3 << depth).map { _ in UInt8(random.below(256)) } : []
        let samples = (0..<width * height * PNGBuilder.channels(type)).map { _ in random.below(limit + 1) }
        return PNGBuilder(
            width: width, height: height, type: type, depth: depth, interlaced: interlaced, palette: palette,
            samples: samples)
    }
}

@Suite struct PNGTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: PNGKind.all) func imagesOfEveryKind(kind: PNGKind) throws {
        let builder = kind.builder()
        let image = try readImage(path: folder.write(builder.bytes(), to: "image.png"))
        let channels = PNGBuilder.channels(kind.type)
        let maximum = (1 << kind.depth) - 1
        let expected = (0..<kind.width * kind.height).flatMap { pixel -> [UInt8] in
            let values = (0..<channels).map { builder.samples[pixel * channels + $0] }
            if kind.type == 3 { return Array(builder.palette[values[0] * 3..<values[0] * 3 + 3]) }
            let bytes = values.map { UInt8(kind.depth == 16 ? $0 >> 8 : $0 * 255 / maximum) }
            return channels < 3 ? [bytes[0], bytes[0], bytes[0]] : Array(bytes.prefix(3))
        }
        #expect(image == Image(width: kind.width, height: kind.height, pixels: expected))
    }

    @Test(arguments: PNGKind.all) func masksOfEveryKind(kind: PNGKind) throws {
        let builder = kind.builder(maximum: 255)
        let path = try folder.write(builder.bytes(), to: "mask.png")
        if kind.type == 2 || kind.type == 6 {
            #expect(failure { _ = try readMask(path: path) }?.contains("mask.png: is a colour PNG") == true)
            return
        }
        let channels = PNGBuilder.channels(kind.type)
        let expected = stride(from: 0, to: builder.samples.count, by: channels).map { UInt8(builder.samples[$0]) }
        #expect(try readMask(path: path).labels == expected)
    }

    /// The eXIf chunk turns a PNG as a JPEG's EXIF block turns a JPEG.
    @Test(arguments: [(1, [0, 1, 2, 3, 4, 5], 2), (6, [4, 2, 0, 5, 3, 1], 3), (3, [5, 4, 3, 2, 1, 0], 2)])
    func exifOrientation(orientation: Int, order: [Int], columns: Int) throws {
        let builder = PNGBuilder(width: 2, height: 3, type: 0, depth: 8, samples: [0, 1, 2, 3, 4, 5])
        let tiff: [UInt8] = [
            0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, UInt8(orientation), 0, 0, 0, 0, 0, 0,
        ]
        let bytes = builder.bytes()
        let path = try folder.write(bytes.prefix(33) + builder.chunk("eXIf", tiff) + bytes.dropFirst(33), to: "a.png")
        let image = try readImage(path: path)
        #expect(image.width == columns)
        #expect((0..<6).map { Int(image[$0 % columns, $0 / columns].red) } == order)
    }

    @Test func largeValuesOf16BitsAreRefusedWithTheirPlace() throws {
        let builder = PNGBuilder(width: 2, height: 2, type: 0, depth: 16, samples: [1, 2, 3, 300])
        let message = failure { _ = try readMask(path: folder.write(builder.bytes(), to: "m.png")) }
        #expect(message?.hasSuffix("has the 16-bit value 300 at column 1, row 1: labels are at most 255") == true)
    }

    @Test func writtenImagesAndMasksReadBack() throws {
        let image = ramp(width: 37, height: 21, mark: 9)
        try writePNG(image, to: folder.place("image.png"))
        #expect(try readImage(path: folder.place("image.png")) == image)
        var mask = rampMask(width: 37, height: 21)
        mask[0, 0] = 255
        let palette = [Color(1, 2, 3), Color(4, 5, 6)]
        try writePNG(mask, palette: palette, to: folder.place("mask.png"))
        #expect(try readMask(path: folder.place("mask.png")) == mask)
        let shown = try readImage(path: folder.place("mask.png"))
        #expect(shown == mask.colored(palette: palette))
        #expect(shown[1, 0] == Color(4, 5, 6) && shown[2, 0] == Palette.standard[2])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["image.png", "mask.png"])
    }

    @Test func writingWhereNothingCanBeWrittenSaysSo() throws {
        let path = folder.path + "/none/image.png"
        let error = #expect(throws: DataError.self) { try writePNG(ramp(width: 2, height: 2), to: path) }
        #expect(error?.kind == .unwritable)
        #expect(error?.description == "\(path): cannot be created (no such file or directory)")
    }

    @Test func sizeIsCheckedBeforeDecoding() throws {
        var bytes = PNGBuilder(width: 3, height: 3, type: 0, depth: 8, samples: Array(0..<9)).bytes()
        let path = try folder.write(bytes, to: "image.png")
        let message = failure { _ = try readImage(path: path, limits: ReadLimits(pixels: 8)) }
        #expect(message == "\(path): is 3x3 pixels, outside the limit of 8 pixels")
        #expect(
            failure { _ = try readImage(path: path, limits: ReadLimits(fileBytes: 10)) }
                == "\(path): has \(bytes.count) bytes, more than the limit of 10")
        // A header that claims 100,000 x 100,000 pixels over nine bytes of data.
        let claim = PNGBuilder(width: 100_000, height: 100_000, type: 0, depth: 8, samples: [])
        bytes = claim.header() + bytes.dropFirst(33)
        #expect(
            failure { _ = try readImage(path: folder.write(bytes, to: "bomb.png")) }?
                .hasSuffix("is 100000x100000 pixels, outside the limit of 100000000 pixels") == true)
    }

    @Test func otherFilesAreNamed() throws {
        let cases: [(name: String, text: String, problem: String)] = [
            ("empty.png", "", "is empty"),
            ("text.png", "hello", "is no image of a known format (PNG, JPEG, TIFF, BMP, WebP, GIF)"),
            (
                "lfs.png", "version https://git-lfs.github.com/spec/v1\n",
                "is a Git LFS pointer: fetch it with `git lfs pull`"
            ),
        ]
        for (name, text, problem) in cases {
            let path = try folder.write(text, to: name)
            #expect(failure { _ = try readImage(path: path) } == "\(path): \(problem)")
        }
        // The reason is in giflib's words.
        let gif = try folder.write("GIF89a", to: "x.gif")
        let reason = failure { _ = try readImage(path: gif) }
        #expect(reason?.hasPrefix("\(gif): cannot be decoded as GIF: ") == true && reason?.contains("\n") == false)
        #expect(failure { _ = try readImage(path: folder.path) } == "\(folder.path): is not an ordinary file")
        #expect(
            failure { _ = try readImage(path: folder.path + "/no") }
                == "\(folder.path)/no: cannot be opened (no such file or directory)")
    }
}
