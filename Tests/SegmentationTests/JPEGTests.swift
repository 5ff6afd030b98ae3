import Datasets
import Foundation
import Images
import TestSupport
import Testing

/// Small JPEG files of six 8x8 blocks, two in a row, each of one colour: values known by construction.
enum JPEGSample {
    static let colors = [
        Color(250, 20, 20), Color(20, 200, 30), Color(30, 40, 220), Color(128, 128, 128), Color(240, 230, 10),
        Color(10, 220, 230),
    ]
    static let rgb = decode(
        """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoK\
        CgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoK\
        CgoKCgoKCgr/wAARCAAYABADAREAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAACAn/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QA\
        FwEAAwEAAAAAAAAAAAAAAAAABwkKCP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/ADGzGeYTAfpA061JjcCjBR4o\
        KgEfi4G6mBP2/9k=
        """)
    /// Adobe's CMYK: inks (0, 255, 255, 0), (255, 0, 255, 0), (255, 255, 0, 0), (0, 0, 0, 128), (0, 0, 255, 20),
    /// (100, 50, 0, 60); light is (255 - ink) (255 - black) / 255.
    static let cmyk = decode(
        """
        /9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkKCgoK\
        CgYICwwLCgwJCgoK/8AAFAgAGAAQBEMRAE0RAFkRAEsRAP/EABcAAQEBAQAAAAAAAAAAAAAAAAoACQj/xAAUEAEAAAAAAAAAAAAA\
        AAAAAAAA/9oADgRDAE0AWQBLAAA/AN/B/wAf9v4AGf4kgAz/ABH+H+If9IANtgxvcbn+OX3/2Q==
        """)

    private static func decode(_ text: String) -> [UInt8] { [UInt8](Data(base64Encoded: text) ?? Data()) }

    /// The file with an EXIF block that holds an orientation, in either byte order.
    static func oriented(_ orientation: UInt8, littleEndian: Bool) -> [UInt8] {
        let tiff: [UInt8] =
            littleEndian
            ? [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]
            : [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]
        let body = Array("Exif\0\0".utf8) + tiff
        return Array(rgb.prefix(2)) + [0xFF, 0xE1, 0, UInt8(body.count + 2)] + body + rgb.dropFirst(2)
    }
}

@Suite struct JPEGTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func close(_ first: Color, _ second: Color, by limit: Int = 1) -> Bool {
        zip([first.red, first.green, first.blue], [second.red, second.green, second.blue])
            .allSatisfy { abs(Int($0) - Int($1)) <= limit }
    }

    @Test func colors() throws {
        let image = try readImage(path: folder.write(JPEGSample.rgb, to: "a.jpg"))
        #expect(image.width == 16 && image.height == 24)
        for y in 0..<24 {
            for x in 0..<16 { #expect(close(image[x, y], JPEGSample.colors[y / 8 * 2 + x / 8])) }
        }
    }

    @Test func cmykIsConverted() throws {
        let image = try readImage(path: folder.write(JPEGSample.cmyk, to: "a.jpg"))
        let expected = [
            Color(255, 0, 0), Color(0, 255, 0), Color(0, 0, 255), Color(127, 127, 127), Color(235, 235, 0),
            Color(119, 157, 195),
        ]
        for (index, color) in expected.enumerated() {
            #expect(close(image[index % 2 * 8 + 4, index / 2 * 8 + 4], color, by: 2))
        }
    }

    /// Where the blocks of the upright picture come from, row by row, for each orientation.
    @Test(arguments: [
        (1, [0, 1, 2, 3, 4, 5]), (2, [1, 0, 3, 2, 5, 4]), (3, [5, 4, 3, 2, 1, 0]), (4, [4, 5, 2, 3, 0, 1]),
        (5, [0, 2, 4, 1, 3, 5]), (6, [4, 2, 0, 5, 3, 1]), (7, [5, 3, 1, 4, 2, 0]), (8, [1, 3, 5, 0, 2, 4]),
    ])
    func exifOrientation(orientation: Int, blocks: [Int]) throws {
        for littleEndian in [false, true] {
            let bytes = JPEGSample.oriented(UInt8(orientation), littleEndian: littleEndian)
            let image = try readImage(path: folder.write(bytes, to: "a.jpg"))
            let columns = orientation < 5 ? 2 : 3
            #expect(image.width == columns * 8)
            for (index, block) in blocks.enumerated() {
                let color = image[index % columns * 8 + 4, index / columns * 8 + 4]
                #expect(close(color, JPEGSample.colors[block]))
            }
        }
    }

    @Test func maskMustFitTheImageAsDisplayed() throws {
        let image = try folder.write(JPEGSample.oriented(6, littleEndian: true), to: "a.jpg")
        for (width, height, fits) in [(24, 16, true), (16, 24, false)] {
            let mask = try folder.place("m.png")
            try writePNG(rampMask(width: width, height: height), palette: [], to: mask)
            let reader = SampleReader(labels: LabelMap(classes: 5))
            let message = failure { _ = try reader.read(Sample(name: "a", image: image, mask: mask)) }
            #expect((message == nil) == fits)
        }
    }

    /// Decoded at reduced scale the picture is the mean of its blocks, whatever its orientation; sizes are the file's.
    @Test(arguments: [1, 6]) func reducedScales(orientation: Int) throws {
        let bytes = JPEGSample.oriented(UInt8(orientation), littleEndian: true)
        let path = try folder.write(bytes, to: "a.jpg")
        let full = try readImage(path: path)
        for (factor, sides) in [(2, 2), (4, 4), (8, 8), (3, 2), (16, 8), (1, 1)] {
            let decoded = try readImage(path: path, limits: ReadLimits()) {
                (max(1, $0 / factor), max(1, $1 / factor))
            }
            #expect(decoded.fullWidth == full.width && decoded.fullHeight == full.height)
            #expect(decoded.image.width == full.width / sides && decoded.image.height == full.height / sides)
            for y in 0..<decoded.image.height {
                for x in 0..<decoded.image.width {
                    let center = full[x * sides + sides / 2, y * sides + sides / 2]
                    #expect(close(decoded.image[x, y], center, by: 2), "factor \(factor), \(x), \(y)")
                }
            }
        }
        try writePNG(rampMask(width: full.width, height: full.height), palette: [], to: folder.place("m.png"))
        let reader = SampleReader(labels: LabelMap(classes: 5), resize: 0.25)
        let sample = try reader.read(Sample(name: "a", image: path, mask: folder.place("m.png")))
        #expect(sample.image.width == full.width / 4 && sample.mask.width == full.width / 4)
    }

    @Test func masksAreRefused() throws {
        let path = try folder.write(JPEGSample.rgb, to: "a.jpg")
        #expect(
            failure { _ = try readMask(path: path) }
                == "\(path): is a JPEG, which alters label values: masks must be palette or grey PNG, or show black"
                + " and white alone")
    }

    /// Values of a picture that are a function of the place, as three equal colours.
    private func greys(_ width: Int, _ height: Int, _ value: (_ x: Int, _ y: Int) -> UInt8) -> Image {
        let pixels = (0..<width * height).flatMap { [UInt8](repeating: value($0 % width, $0 / width), count: 3) }
        return Image(width: width, height: height, pixels: pixels)
    }

    @Test(arguments: [60, 90]) func masksOfBlackAndWhiteAreRead(quality: Int) throws {
        let disc = greys(83, 61) { x, y in (x - 40) * (x - 40) + (y - 30) * (y - 30) < 400 ? 255 : 0 }
        for image in [disc, greys(83, 61) { _, _ in 0 }, greys(83, 61) { _, _ in 255 }] {
            let path = try folder.write([UInt8](jpegData(image, quality: quality)), to: "a.jpg")
            let mask = try readMask(path: path)
            let isEqual = mask.labels.indices.allSatisfy { image.pixels[3 * $0] == mask.labels[$0] }
            #expect(isEqual)
            let notes = try readRawMask(path: path, limits: ReadLimits()).notes
            #expect(notes == [.blackAndWhite])
        }
    }

    /// Indices of classes, three greys, a photograph's greys and colours are lost in a JPEG.
    @Test func otherMasksAreRefused() throws {
        let images = [
            greys(64, 48) { x, _ in UInt8(x / 8) }, greys(64, 48) { x, _ in x < 32 ? 0 : 1 },
            greys(64, 48) { x, _ in [0, 128, 255][x / 22] }, greys(64, 48) { x, y in UInt8(4 * (x + y) % 256) },
            greys(64, 48) { x, y in y == 20 ? 255 : x < 32 ? 0 : 15 },
            // A class of its own and ignored pixels; a small third grey; a photograph's noise about the middle.
            greys(64, 48) { x, y in y < 16 ? 255 : x < 32 ? 0 : 1 },
            greys(96, 96) { x, y in x < 20 && y < 20 ? 128 : x < 48 ? 0 : 255 },
            greys(96, 96) { x, y in UInt8(90 + (x * 7_919 + y * 104_729) % 76) },
            Image(width: 64, height: 48, pixels: (0..<64 * 48).flatMap { $0 % 64 < 32 ? [0, 0, 0] : [255, 0, 0] }),
        ]
        for (number, image) in images.enumerated() {
            let path = try folder.write([UInt8](jpegData(image, quality: 95)), to: "a.jpg")
            let message = failure { _ = try readMask(path: path) }
            #expect(message?.contains("is a JPEG, which alters label values") == true, "picture \(number)")
        }
    }

    /// Stray bytes cost no pixels: the picture is that of the whole file, and a note says what was met.
    @Test func strayBytesAreNoted() throws {
        let whole = JPEGSample.rgb
        let expected = try readImage(path: folder.write(whole, to: "whole.jpg"))
        // Before the first table, and behind the last pixel.
        let before = Array(whole.prefix(20)) + [0xDB, 0xDB] + whole.dropFirst(20)
        let behind = Array(whole.dropLast(2)) + [UInt8](repeating: 7, count: 300) + whole.suffix(2)
        for bytes in [before, behind] {
            let path = try folder.write(bytes, to: "stray.jpg")
            let decoded = try readImage(path: path, limits: ReadLimits()) { ($0, $1) }
            #expect(decoded.image == expected)
            guard case .warning(let reason) = decoded.notes.first else {
                Issue.record("no note")
                continue
            }
            #expect(reason.contains("extraneous bytes before marker") && decoded.notes.count == 1)
            let size = try readImageSize(path: path, limits: ReadLimits())
            #expect(size.width == 16 && size.height == 24)
            // The same file cut off is refused, though its first fault costs nothing.
            let cut = try folder.write(before.prefix(before.count - 30), to: "cut.jpg")
            #expect(failure { _ = try readImage(path: cut) }?.contains("cannot be decoded as JPEG") == true)
        }
        #expect(try readImage(path: folder.place("whole.jpg"), limits: ReadLimits()) { ($0, $1) }.notes.isEmpty)
    }

    @Test func everyTruncationIsAnError() throws {
        for length in 1..<JPEGSample.rgb.count {
            let path = try folder.write(JPEGSample.rgb.prefix(length), to: "a.jpg")
            let message = failure { _ = try readImage(path: path) }
            #expect(message?.hasPrefix(path + ": ") == true, "cut to \(length) bytes")
            #expect(message?.contains("\n") == false)
        }
    }
}
