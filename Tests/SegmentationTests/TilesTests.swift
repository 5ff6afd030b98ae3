import Datasets
import Foundation
import Images
import TestSupport
import Testing

@Suite struct TilesTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("a\nb\nc\nd\ne\n", to: "classes.txt")
    }

    private func dataset(_ options: DatasetOptions = DatasetOptions()) throws -> Dataset {
        var options = options
        options.tiles.height = 20
        options.tiles.width = 30
        return try Dataset(root: folder.path, layout: .tiles, options: options)
    }

    /// All tiles of an image, laid down where they belong, must cover it and agree with it everywhere.
    private func expectWhole(_ dataset: Dataset, _ image: Image, _ mask: Mask) throws {
        var seen = [Bool](repeating: false, count: image.width * image.height)
        let reader = dataset.reader()
        for sample in try dataset.samples(.train) {
            let tile = try #require(sample.tile)
            let part = try reader.read(sample)
            #expect(part.image.width == tile.width && part.image.height == tile.height)
            #expect(part.image.channels == image.channels)
            for y in 0..<tile.height {
                for x in 0..<tile.width {
                    let (own, whole) = (y * tile.width + x, (tile.y + y) * image.width + tile.x + x)
                    let isEqual = (0..<image.channels).allSatisfy {
                        part.image.pixels[own * image.channels + $0] == image.pixels[whole * image.channels + $0]
                    }
                    #expect(isEqual)
                    #expect(part.mask[x, y] == mask[tile.x + x, tile.y + y])
                    seen[(tile.y + y) * image.width + tile.x + x] = true
                }
            }
        }
        #expect(seen.allSatisfy { $0 })
    }

    @Test(arguments: [(71, 43), (30, 20), (31, 20), (12, 90)]) func tilesOfPNG(width: Int, height: Int) throws {
        try folder.writeSample(image: "images/train/a.png", mask: "masks/train/a.png", width: width, height: height)
        try expectWhole(dataset(), ramp(width: width, height: height), rampMask(width: width, height: height))
        let copies = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/.tiles")
        #expect(copies.count == 2 && copies.allSatisfy { $0.hasSuffix(".pnm") })
    }

    @Test func partsOfPortableImagesAreReadWithoutCopies() throws {
        let (image, mask) = (ramp(width: 71, height: 43), rampMask(width: 71, height: 43))
        try folder.write(Array("P6\n# made by hand\n71 43\n255\n".utf8) + image.pixels, to: "images/train/a.ppm")
        try folder.write(Array("P5 71 43 255\n".utf8) + mask.labels, to: "masks/train/a.pgm")
        try expectWhole(dataset(), image, mask)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/.tiles"))
    }

    @Test(arguments: [1, 4, 13], [8, 16]) func tilesOfBands(channels: Int, bits: Int) throws {
        let (width, height) = (71, 43)
        let mask = rampMask(width: width, height: height)
        try writePNG(mask, palette: [], to: folder.place("masks/train/a.png"))
        var builder = TIFFBuilder(
            width: width, height: height, bits: bits, samples: channels,
            values: (0..<width * height * channels).map { ($0 * 7_919 + $0 / 5) % (1 << bits) })
        let pixels = builder.values.map { UInt8($0 >> (bits - 8)) }
        let image = Image(width: width, height: height, channels: channels, pixels: pixels)
        var options = DatasetOptions()
        options.channels = channels
        // Turned pictures are decoded at once, others row by row: larger ones than the ordinary limit.
        for (isPlanar, isTiled) in [(false, false), (true, false), (false, true)] {
            options.limits = ReadLimits(pixels: 340, fileBytes: 1 << 20)
            builder.isPlanar = isPlanar
            builder.tile = isTiled ? (width: 16, height: 16) : nil
            try folder.write(builder.bytes(), to: "images/train/a.tif")
            try expectWhole(dataset(options), image, mask)
            try FileManager.default.removeItem(atPath: folder.path + "/.tiles")
        }
        builder.orientation = 3
        try folder.write(builder.bytes(), to: "images/train/a.tif")
        let tooLarge = failure { try expectWhole(dataset(options), image, mask) }
        #expect(tooLarge?.contains("a.tif") == true && tooLarge?.contains("limit") == true, "\(tooLarge ?? "none")")
        options.limits = ReadLimits()
        let turned = Image(
            width: width, height: height, channels: channels,
            pixels: (0..<width * height).reversed().flatMap {
                image.pixels[$0 * channels..<($0 + 1) * channels]
            })
        try expectWhole(dataset(options), turned, mask)
    }

    @Test func tilesOfPagesOfGreysAndOfAnotherNumber() throws {
        let (width, height) = (50, 31)
        try folder.writeSample(image: "images/train/a.png", mask: "masks/train/a.png", width: width, height: height)
        try FileManager.default.removeItem(atPath: folder.path + "/images/train/a.png")
        let pages = (0..<2).map { page in
            TIFFBuilder(width: width, height: height, values: (0..<width * height).map { ($0 * (page + 3)) % 251 })
        }
        try folder.write(TIFFBuilder.bytes(of: pages), to: "images/train/a.tif")
        let pixels = zip(pages[0].values, pages[1].values).flatMap { [UInt8($0), UInt8($1)] }
        let mask = rampMask(width: width, height: height)
        var options = DatasetOptions()
        options.channels = 2
        try expectWhole(dataset(options), Image(width: width, height: height, channels: 2, pixels: pixels), mask)
        options.channels = 4
        let message = failure { try expectWhole(dataset(options), ramp(width: width, height: height), mask) }
        #expect(message?.contains("where data.channels is 4") == true, "\(message ?? "no error")")
        // A portable picture of greys is one channel.
        try FileManager.default.removeItem(atPath: folder.path + "/images/train/a.tif")
        try folder.write(Array("P5 50 31 255\n".utf8) + pages[0].values.map { UInt8($0) }, to: "images/train/a.pgm")
        options.channels = 1
        let grey = Image(width: width, height: height, channels: 1, pixels: pages[0].values.map { UInt8($0) })
        try expectWhole(dataset(options), grey, mask)
    }

    @Test func interlacedAnd16BitMasksAndPalettes() throws {
        let mask = rampMask(width: 40, height: 25)
        let kinds: [(UInt8, Int, Bool)] = [(0, 16, false), (0, 16, true), (3, 4, false), (0, 8, true), (4, 8, false)]
        for (type, depth, interlaced) in kinds {
            let channels = PNGBuilder.channels(type)
            let builder = PNGBuilder(
                width: 40, height: 25, type: type, depth: depth, interlaced: interlaced,
                palette: type == 3 ? [UInt8](repeating: 7, count: 48) : [],
                samples: mask.labels.flatMap { [Int($0)] + [Int](repeating: 200, count: channels - 1) })
            try writePNG(ramp(width: 40, height: 25), to: folder.place("images/train/a.png"))
            try folder.write(builder.bytes(), to: "masks/train/a.png")
            try expectWhole(dataset(), ramp(width: 40, height: 25), mask)
            try FileManager.default.removeItem(atPath: folder.path + "/.tiles")
        }
    }

    @Test func aChangedFileIsDecodedAnew() throws {
        try folder.writeSample(image: "images/train/a.png", mask: "masks/train/a.png", width: 50, height: 30)
        try expectWhole(dataset(), ramp(width: 50, height: 30), rampMask(width: 50, height: 30))
        try folder.writeSample(image: "images/train/a.png", mask: "masks/train/a.png", width: 60, height: 30)
        try expectWhole(dataset(), ramp(width: 60, height: 30), rampMask(width: 60, height: 30))
    }

    @Test func aLinkForDecodedCopiesIsRefused() throws {
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/.tiles", withDestinationPath: FileManager.default.temporaryDirectory.path)
        try writePNG(ramp(width: 8, height: 6), to: folder.place("images/train/a.png"))
        let message = failure { _ = try dataset().samples(.train) }
        #expect(message?.contains("/.tiles: is a link") == true, "\(message ?? "no error")")
    }

    @Test func faultsNameTheFile() throws {
        try folder.writeSample(image: "images/train/a.png", mask: "masks/train/a.png", width: 50, height: 30)
        try writePNG(rampMask(width: 40, height: 30), palette: [], to: folder.place("masks/train/a.png"))
        let smaller = failure {
            try expectWhole(dataset(), ramp(width: 50, height: 30), rampMask(width: 50, height: 30))
        }
        #expect(smaller?.contains("masks/train/a.png: is 40x30 pixels, smaller than its partner") == true)
        var options = DatasetOptions()
        options.tiles.cache = "/proc/no/such"
        let unwritable = failure {
            let dataset = try dataset(options)
            _ = try dataset.reader().read(dataset.samples(.train)[0])
        }
        #expect(unwritable?.contains("name another folder by data.tiles.cache") == true)
        try folder.write("P6 50 30 255\nshort", to: "images/train/a.ppm")
        try FileManager.default.removeItem(atPath: folder.path + "/images/train/a.png")
        #expect(failure { _ = try dataset().samples(.train) }?.contains("a.ppm: is cut off: 50x30 pixels need") == true)
    }
}
