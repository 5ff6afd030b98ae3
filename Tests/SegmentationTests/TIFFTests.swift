import Datasets
import Foundation
import Images
import TestSupport
import Testing

/// TIFF of every shape, built by hand.
@Suite struct TIFFTests {
    let folder: TemporaryFolder
    private let width = 21
    private let height = 13

    init() throws { folder = try TemporaryFolder() }

    private func values(samples: Int, below limit: Int) -> [Int] {
        (0..<width * height * samples).map { ($0 * 7_919 + $0 / 5) % limit }
    }

    /// The shapes in which a page may lie in its file.
    private func shapes(_ builder: TIFFBuilder) -> [TIFFBuilder] {
        [false, true].flatMap { isBigEndian in
            [false, true].flatMap { isPlanar in
                [nil, (width: 16, height: 16), (width: 32, height: 16)].map { tile in
                    var result = builder
                    result.isBigEndian = isBigEndian
                    result.isPlanar = isPlanar
                    result.tile = tile
                    return result
                }
            }
        }
    }

    @Test(arguments: [1, 2, 4, 8, 10, 12, 14, 16]) func greysOfAnyDepth(bits: Int) throws {
        let values = values(samples: 1, below: 1 << bits)
        for builder in shapes(TIFFBuilder(width: width, height: height, bits: bits, values: values)) {
            let path = try folder.write(builder.bytes(), to: "a.tif")
            let expected = values.map { bits > 8 ? $0 >> (bits - 8) : $0 * 255 / (1 << bits - 1) }
            #expect(try readImage(path: path).pixels == expected.flatMap { [UInt8($0), UInt8($0), UInt8($0)] })
            if bits <= 8 {
                #expect(try readMask(path: path).labels == values.map { UInt8($0) })
            } else {
                guard case .wide(let wide) = try readRawMask(path: path, limits: ReadLimits()).values else {
                    Issue.record("not 16 bits wide")
                    continue
                }
                #expect(wide == values.map { UInt16($0) })
            }
        }
    }

    @Test func whiteIsZero() throws {
        let values = values(samples: 1, below: 256)
        let path = try folder.write(
            TIFFBuilder(width: width, height: height, photometric: 0, values: values).bytes(), to: "a.tif")
        #expect(try readImage(path: path).pixels == values.flatMap { [UInt8](repeating: UInt8(255 - $0), count: 3) })
        #expect(try readMask(path: path).labels == values.map { UInt8(255 - $0) })
    }

    @Test(arguments: [(3, 8), (4, 8), (3, 16), (4, 16)]) func colors(samples: Int, bits: Int) throws {
        let values = values(samples: samples, below: 1 << bits)
        let builder = TIFFBuilder(
            width: width, height: height, bits: bits, samples: samples, photometric: 2, values: values)
        let expected = values.enumerated().filter { $0.offset % samples < 3 }.map { UInt8($0.element >> (bits - 8)) }
        for builder in shapes(builder) {
            let path = try folder.write(builder.bytes(), to: "a.tif")
            #expect(try readImage(path: path).pixels == expected)
            guard case .colors(let colors) = try readRawMask(path: path, limits: ReadLimits()).values else {
                Issue.record("no colours")
                continue
            }
            #expect(colors == expected)
        }
    }

    @Test(arguments: [1, 2, 4, 8]) func palettes(bits: Int) throws {
        let values = values(samples: 1, below: 1 << bits)
        var builder = TIFFBuilder(width: width, height: height, bits: bits, photometric: 3, values: values)
        let colors = (0..<3 << bits).map { ($0 * 37 + 5) % 256 }
        // Some programs write colours of 8 bits where 16 are meant.
        for factor in [257, 1] {
            builder.palette = colors.map { $0 * factor }
            let path = try folder.write(builder.bytes(), to: "a.tif")
            #expect(try readMask(path: path).labels == values.map { UInt8($0) })
            #expect(
                try readImage(path: path).pixels
                    == values.flatMap { value in (0..<3).map { UInt8(colors[$0 << bits + value]) } })
        }
    }

    @Test(arguments: [(32, 1), (32, 2), (16, 2), (8, 2), (64, 1), (64, 2)])
    func labelsOfWideIntegers(bits: Int, format: Int) throws {
        let values = values(samples: 1, below: 120)
        var builder = TIFFBuilder(width: width, height: height, bits: bits, format: format, values: values)
        var path = try folder.write(builder.bytes(), to: "a.tif")
        #expect(try readMask(path: path).labels == values.map { UInt8($0) })
        #expect(failure { _ = try readImage(path: path) }?.contains("save images with 8 or 16 bits") == true)
        if format == 2 {
            builder.values[40] = -1
            path = try folder.write(builder.bytes(), to: "a.tif")
            #expect(failure { _ = try readMask(path: path) }?.contains("outside of 0 to 65535") == true)
        }
    }

    @Test func orientationTurnsImagesAndMasks() throws {
        let values = values(samples: 1, below: 200)
        for orientation in 1...8 {
            let path = try folder.write(
                TIFFBuilder(width: width, height: height, orientation: orientation, values: values).bytes(),
                to: "a.tif")
            let flat = Image(
                width: width, height: height, pixels: values.flatMap { [UInt8($0), UInt8($0), UInt8($0)] })
            let expected = flat.oriented(orientation)
            #expect(try readImage(path: path) == expected)
            let mask = try readMask(path: path)
            #expect(mask.width == expected.width)
            #expect(mask.labels == stride(from: 0, to: expected.pixels.count, by: 3).map { expected.pixels[$0] })
            let size = try readImageSize(path: path, limits: ReadLimits())
            #expect(size.width == expected.width && size.height == expected.height)
        }
    }

    @Test func severalPagesAreTold() throws {
        var builder = TIFFBuilder(width: width, height: height, values: values(samples: 1, below: 256))
        func notes() throws -> [ReadNote] {
            try readImage(path: folder.write(builder.bytes(), to: "a.tif"), limits: ReadLimits()) { ($0, $1) }.notes
        }
        #expect(try notes().isEmpty)
        builder.hasSecondPage = true
        #expect(try notes() == [.pages])
    }

    @Test func whatCannotBeMeantIsRefused() throws {
        func message(_ builder: TIFFBuilder) throws -> String {
            let path = try folder.write(builder.bytes(), to: "a.tif")
            let text = try #require(failure { _ = try readImage(path: path, limits: ReadLimits(pixels: 10_000)) })
            #expect(text.hasPrefix(path + ": ") && !text.contains("\n"))
            return text
        }
        let plain = TIFFBuilder(width: width, height: height, values: values(samples: 1, below: 256))
        var builder = plain
        builder.format = 3
        builder.bits = 32
        #expect(try message(builder).contains("floating-point"))
        builder = TIFFBuilder(width: width, height: height, samples: 5, values: values(samples: 5, below: 9))
        #expect(try message(builder).contains("5 channels"))
        builder = plain
        builder.claimedWidth = 1 << 31
        #expect(try message(builder).contains("outside the limit of 10000 pixels"))
        builder = plain
        builder.offsetFault = 1 << 20
        #expect(try message(builder).contains("cannot be decoded as TIFF"))
    }

    @Test func tilesAreCutFromTIFF() throws {
        var builder = TIFFBuilder(
            width: 71, height: 43, samples: 3, photometric: 2,
            values: ramp(width: 71, height: 43).pixels.map { Int($0) })
        builder.tile = (width: 32, height: 16)
        let image = try folder.write(builder.bytes(), to: "image.tif")
        let labels = rampMask(width: 71, height: 43)
        let mask = try folder.write(
            TIFFBuilder(width: 71, height: 43, bits: 16, values: labels.labels.map { Int($0) }).bytes(),
            to: "mask.tif")
        let reader = SampleReader(labels: LabelMap(classes: 5))
        for (x, y) in [(0, 0), (41, 23), (20, 11)] {
            let tile = Tile(x: x, y: y, width: 30, height: 20, cache: folder.path)
            let part = try reader.read(Sample(name: "a", image: image, mask: mask, tile: tile))
            for y in 0..<tile.height {
                for x in 0..<tile.width {
                    #expect(part.image[x, y] == Color(UInt8(tile.x + x), UInt8(tile.y + y), 0))
                    #expect(part.mask[x, y] == labels[tile.x + x, tile.y + y])
                }
            }
        }
    }
}
