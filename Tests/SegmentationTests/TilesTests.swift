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
            for y in 0..<tile.height {
                for x in 0..<tile.width {
                    #expect(part.image[x, y] == image[tile.x + x, tile.y + y])
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
