import Datasets
import Foundation
import Images
import TestSupport
import Testing

/// Images of any number of channels, from files built by hand.
@Suite struct BandTests {
    let folder: TemporaryFolder
    private let width = 21
    private let height = 13

    init() throws { folder = try TemporaryFolder() }

    private func values(_ samples: Int, below limit: Int, seed: Int = 0) -> [Int] {
        (0..<width * height * samples).map { (($0 + seed) * 7_919 + $0 / 5) % limit }
    }

    private func tiff(_ samples: Int, bits: Int = 8, photometric: Int = 1, seed: Int = 0) -> TIFFBuilder {
        TIFFBuilder(
            width: width, height: height, bits: bits, samples: samples, photometric: photometric,
            values: values(samples, below: 1 << bits, seed: seed))
    }

    @Test(arguments: [1, 2, 4, 5, 13, 32], [8, 16]) func bandsOfOnePage(samples: Int, bits: Int) throws {
        var builder = tiff(samples, bits: bits)
        for (isBigEndian, isPlanar, isTiled) in [(false, false, false), (true, true, false), (false, true, true)] {
            builder.isBigEndian = isBigEndian
            builder.isPlanar = isPlanar
            builder.tile = isTiled ? (width: 16, height: 16) : nil
            let path = try folder.write(builder.bytes(), to: "a.tif")
            let image = try readImage(path: path, channels: samples)
            #expect((image.width, image.height, image.channels) == (width, height, samples))
            #expect(image.pixels == builder.values.map { UInt8($0 >> (bits - 8)) })
        }
    }

    @Test func turnedAndInvertedBands() throws {
        var builder = tiff(5, photometric: 0)
        builder.orientation = 6
        let image = try readImage(path: folder.write(builder.bytes(), to: "a.tif"), channels: 5)
        #expect((image.width, image.height) == (height, width))
        for (x, y, channel) in [(0, 0, 0), (3, 7, 4), (12, 20, 2)] {
            // Turned by a quarter clockwise: the row from the right is the column, the column is the row.
            let source = ((height - 1 - x) * width + y) * 5 + channel
            #expect(image.pixels[(y * image.width + x) * 5 + channel] == UInt8(255 - builder.values[source]))
        }
    }

    @Test func deepBandsAreScaledByARange() throws {
        let builder = tiff(4, bits: 16)
        let path = try folder.write(builder.bytes(), to: "a.tif")
        let range = try #require(ValueRange(low: 1_000, high: 11_200))
        let image = try readImage(path: path, channels: 4, range: range)
        // A byte is 40 values.
        let expected = builder.values.map { UInt8((min(max($0 - 1_000, 0), 10_200) + 20) / 40) }
        #expect(image.pixels == expected)
        let decoded = try readBands(paths: [path], channels: 4, limits: ReadLimits(), range: range)
        #expect(decoded.depth == 16 && decoded.values == (builder.values.min() ?? 0)...(builder.values.max() ?? 0))
        let found = ValueRange.found(
            in: [Sample(name: "a", image: path, mask: nil)], limits: ReadLimits(), channels: 4)
        #expect(found?.range == ValueRange(low: 0, high: 65_535))
    }

    @Test func transparencyCountsWhereItMakesTheNumber() throws {
        var builder = tiff(4, photometric: 2)
        builder.extraSample = 2
        let path = try folder.write(builder.bytes(), to: "a.tif")
        let bytes = builder.values.map { UInt8($0) }
        let colors = bytes.enumerated().filter { $0.offset % 4 < 3 }.map(\.element)
        #expect(try readImage(path: path, channels: 4).pixels == bytes)
        #expect(try readImage(path: path).pixels == colors)
        #expect(try readImage(path: path, limits: ReadLimits(), target: { ($0, $1) }).notes.isEmpty)
        // Joined with another file nothing says that it should count.
        let grey = try folder.write(tiff(1, seed: 3).bytes(), to: "b.tif")
        let joined = try readBands(paths: [path, grey], channels: 4, limits: ReadLimits()).image
        #expect(joined.pixels.enumerated().filter { $0.offset % 4 < 3 }.map(\.element) == colors)
        // Told to be none, it is a channel that colours leave out, which is said.
        builder.extraSample = 0
        let unspecified = try folder.write(builder.bytes(), to: "c.tif")
        let notes = try readImage(path: unspecified, limits: ReadLimits(), target: { ($0, $1) }).notes
        #expect(notes == [.samplesLeftOut(4)] && notes[0].text.contains("set data.channels to 4"))
        #expect(try readBands(paths: [unspecified], channels: 4, limits: ReadLimits()).image.pixels == bytes)
    }

    @Test func pagesAreBands() throws {
        let pages = (0..<5).map { tiff(1, bits: 16, seed: $0 * 11) }
        let path = try folder.write(TIFFBuilder.bytes(of: pages), to: "a.tif")
        let image = try readImage(path: path, channels: 5)
        for (place, page) in pages.enumerated() {
            let band = stride(from: place, to: image.pixels.count, by: 5).map { image.pixels[$0] }
            #expect(band == page.values.map { UInt8($0 >> 8) })
        }
        // The largest value of all pages, not of the first alone.
        var dark = tiff(1, bits: 16)
        dark.values = dark.values.map { $0 % 100 }
        let mixed = try folder.write(TIFFBuilder.bytes(of: [dark, pages[0]]), to: "mixed.tif")
        let found = ValueRange.found(
            in: [Sample(name: "a", image: mixed, mask: nil)], limits: ReadLimits(), channels: 2)
        #expect(found?.range.high == 65_535)
        // The first page alone where it has the number by itself, and says so.
        let first = try readBands(paths: [path], channels: 1, limits: ReadLimits())
        #expect(first.image.pixels == pages[0].values.map { UInt8($0 >> 8) } && first.notes.contains(.pages))
        // Smaller copies are no bands.
        var copy = tiff(1, bits: 16)
        copy.subfileType = 1
        let pyramid = try folder.write(TIFFBuilder.bytes(of: [pages[0], copy, pages[1]]), to: "b.tif")
        #expect(try readImage(path: pyramid, channels: 2).channels == 2)
    }

    @Test func faultsNameFileAndNumber() throws {
        let four = try folder.write(tiff(4).bytes(), to: "four.tif")
        let message = failure { _ = try readImage(path: four, channels: 6) }
        #expect(message == "\(four): has 4 channels, where data.channels is 6")
        let many = try folder.write(tiff(40).bytes(), to: "many.tif")
        #expect(
            failure { _ = try readImage(path: many, channels: 32) }?.contains("40 channels, where up to 32") == true)
        var small = tiff(1)
        small.height = 12
        let unlike = try folder.write(TIFFBuilder.bytes(of: [tiff(1), small]), to: "unlike.tif")
        #expect(
            failure { _ = try readImage(path: unlike, channels: 2) }
                == "\(unlike): is 21x13 pixels of 1 samples of 8 bits, and its page 2 is 21x12 of 1 of 8: pages that are bands"
                + " must be alike")
        let stack = try folder.write(TIFFBuilder.bytes(of: (0..<34).map { _ in tiff(1) }), to: "stack.tif")
        #expect(
            failure { _ = try readImage(path: stack, channels: 32) }?.contains("more than 32 pages of equal size")
                == true)
        var withSign = tiff(4)
        withSign.format = 2
        let signed = try folder.write(withSign.bytes(), to: "signed.tif")
        #expect(failure { _ = try readImage(path: signed, channels: 4) }?.contains("with sign") == true)
        // 21 x 13 pixels of 4 channels are more samples than 300 pixels of colours.
        let limits = ReadLimits(pixels: 300)
        #expect(
            failure { _ = try readImage(path: four, channels: 4, limits: limits) }
                == "\(four): is 21x13 pixels of 4 channels, outside the limit of 900 samples")
    }

    @Test func greysAndColorsOfOtherFormats() throws {
        let grey = PNGBuilder(width: 9, height: 7, type: 0, depth: 8, samples: Array(0..<63))
        let path = try folder.write(grey.bytes(), to: "grey.png")
        #expect(try readImage(path: path, channels: 1).pixels == (0..<63).map { UInt8($0) })
        #expect(failure { _ = try readImage(path: path, channels: 2) }?.contains("has 1 channel, where") == true)
        let alpha = PNGBuilder(width: 9, height: 7, type: 6, depth: 16, samples: (0..<252).map { $0 * 260 })
        let transparent = try folder.write(alpha.bytes(), to: "alpha.png")
        #expect(try readImage(path: transparent, channels: 4).pixels == (0..<252).map { UInt8(($0 * 260) >> 8) })
        let portable = try folder.write(Array("P5 9 7 255\n".utf8) + (0..<63).map { UInt8($0) }, to: "grey.pgm")
        #expect(try readImage(path: portable, channels: 1).pixels == (0..<63).map { UInt8($0) })
        let color = try folder.place("color.png")
        try writePNG(ramp(width: 9, height: 7, mark: 5), to: color)
        #expect(
            failure { _ = try readImage(path: color, channels: 1) }
                == "\(color): has 3 channels, where data.channels is 1")

        let joined = try readBands(paths: [color, path, portable], channels: 5, limits: ReadLimits()).image
        #expect(joined.channels == 5)
        #expect(Array(joined.pixels[(9 * 2 + 4) * 5..<(9 * 2 + 5) * 5]) == [4, 2, 5, 22, 22])
        let few = failure { _ = try readBands(paths: [color, path], channels: 5, limits: ReadLimits()) }
        #expect(few == "\(color): has, with \(path), 4 channels, where data.channels is 5")
        let tiff = try folder.write(tiff(1).bytes(), to: "a.tif")
        #expect(
            failure { _ = try readBands(paths: [color, tiff], channels: 4, limits: ReadLimits()) }
                == "\(tiff): is 21x13 pixels, where \(color) of the same sample is 9x7: they must be equal")
    }

    @Test func shownChannels() {
        let image = Image(width: 2, height: 1, channels: 5, pixels: [1, 2, 3, 4, 5, 11, 12, 13, 14, 15])
        #expect(image.shown().pixels == [1, 2, 3, 11, 12, 13])
        #expect(image.shown([4, 0, 4]).pixels == [5, 1, 5, 15, 11, 15])
        #expect(image.shown([3]).pixels == [4, 4, 4, 14, 14, 14])
        #expect(Image(width: 2, height: 1, channels: 1, pixels: [7, 9]).shown().pixels == [7, 7, 7, 9, 9, 9])
        #expect(Image(width: 1, height: 1, channels: 2, pixels: [7, 9]).shown().pixels == [7, 7, 7])
        #expect(!Image.canShow([0, 1], of: 4) && !Image.canShow([4], of: 4) && Image.canShow([3, 0, 0], of: 4))
    }

    @Test func resizingIsThatOfEachChannel() {
        let colors = ramp(width: 17, height: 11, mark: 90)
        let four = Image(
            width: 17, height: 11, channels: 4,
            pixels: (0..<17 * 11).flatMap { pixel -> [UInt8] in
                let color = colors.pixels[pixel * 3..<pixel * 3 + 3]
                return color + [color[pixel * 3]]
            })
        for (width, height) in [(34, 11), (9, 7), (4, 3), (17, 22)] {
            let (expected, found) = (
                colors.resized(width: width, height: height), four.resized(width: width, height: height)
            )
            #expect(found.channels == 4 && found.shown() == expected)
            #expect(found.shown([3, 1, 2]).pixels == expected.pixels)
        }
        #expect(four.part(x: 2..<5, y: 1..<4).shown() == colors.part(x: 2..<5, y: 1..<4))
        #expect(four.oriented(7).shown() == colors.oriented(7))
    }

    // MARK: Data sets

    private func write(_ name: String, _ builder: TIFFBuilder) throws {
        try folder.write(builder.bytes(), to: name)
    }

    /// Two samples of colours in one file and a band in another, and one in a file whose name has a plus sign.
    private func list() throws {
        try folder.write("a\nb\nc\nd\ne\n", to: "classes.txt")
        for name in ["1", "2"] {
            try folder.writeSample(image: "rgb/\(name).png", mask: "masks/\(name).png", width: 21, height: 13)
            try write("nir/\(name).tif", tiff(1, seed: name == "1" ? 1 : 50))
        }
        try write("both/3+x.tif", tiff(4, seed: 9))
        try folder.write(
            """
            /home/x/rgb/1.png+/home/x/nir/1.tif masks/1.png
            /home/x/rgb/2.png+/home/x/nir/2.tif masks/2.png
            /home/x/both/3+x.tif masks/1.png
            """, to: "train.txt")
    }

    @Test func listsJoinFiles() throws {
        try list()
        var options = DatasetOptions()
        options.channels = 4
        let dataset = try Dataset(root: folder.path, layout: .list, options: options)
        let samples = try dataset.samples(.train)
        #expect(samples.map(\.name) == ["1", "2", "3+x"])
        #expect(
            samples.map { $0.imageFiles.map { $0.dropFirst(folder.path.count + 1) } } == [
                ["rgb/1.png", "nir/1.tif"], ["rgb/2.png", "nir/2.tif"], ["both/3+x.tif"],
            ])
        let read = try dataset.reader().read(samples[1])
        #expect(read.image.channels == 4 && read.image.shown() == ramp(width: 21, height: 13))
        #expect(read.image.shown([3]).pixels[0] == UInt8(tiff(1, seed: 50).values[0]))

        try folder.write("rgb/1.png+nir/9.tif masks/1.png\n", to: "val.txt")
        #expect(
            failure { _ = try dataset.samples(.val) }
                == "\(folder.path)/val.txt:1: names nir/9.tif, which is not in \(folder.path)")
        try folder.write("rgb/1.png+../nir/1.tif masks/1.png\n", to: "val.txt")
        #expect(
            failure { _ = try dataset.samples(.val) }?.contains("names ../nir/1.tif, a path that may leave") == true)
        try FileManager.default.removeItem(atPath: folder.file("val.txt"))
        // A table of splits keeps the files together.
        try folder.write("image,split\nrgb/1.png,val\nrgb/2.png,train\nboth/3+x.tif,train\n", to: "splits.csv")
        options.assignment = try SplitAssignment(file: folder.file("splits.csv"))
        let assigned = try Dataset(root: folder.path, layout: .list, options: options)
        #expect(try assigned.samples("val").map(\.imageFiles.count) == [2])
    }

    @Test func checkTellsChannels() throws {
        try list()
        var options = DatasetOptions()
        options.channels = 4
        let report = try DatasetCheck(try Dataset(root: folder.path, layout: .list, options: options), threads: 2).run()
        #expect(report.problems.isEmpty, "\(report.problems)")
        #expect(report.splits["train"]?.channels == ["4": 3] && report.mean.count == 4 && report.deviation.count == 4)
        options.channels = 5
        let other = try DatasetCheck(try Dataset(root: folder.path, layout: .list, options: options), threads: 2).run()
        #expect(other.problems.filter { $0.problem.contains("4 channels, where data.channels is 5") }.count == 3)
    }

    @Test(arguments: [1, 3]) func statisticsAreThoseOfAllPixels(workers: Int) throws {
        try list()
        try folder.write("rgb/1.png+nir/1.tif masks/1.png\nrgb/2.png+nir/2.tif masks/2.png\n", to: "train.txt")
        var options = DatasetOptions()
        options.channels = 4
        let dataset = try Dataset(root: folder.path, layout: .list, options: options)
        let found = try ChannelNormalization.measured(
            on: dataset.samples(.train), reader: dataset.reader(), workers: workers)
        let band = (tiff(1, seed: 1).values + tiff(1, seed: 50).values).map(Double.init)
        let mean = band.reduce(0, +) / Double(band.count)
        let variance = band.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(band.count)
        #expect(abs(found.means[3] - mean) < 1e-9 && abs(found.deviations[3] - variance.squareRoot()) < 1e-9)
        // Columns 0 to 20; blue is 0 everywhere, whose deviation stays a byte.
        #expect(abs(found.means[0] - 10) < 1e-12 && abs(found.deviations[0] - (440.0 / 12).squareRoot()) < 1e-9)
        #expect(found.means[2] == 0 && found.deviations[2] == 1)
    }

    @Test func normalizationsThatCannotBe() throws {
        #expect(ChannelNormalization.color.factors == [Float](repeating: Float(2) / 255, count: 3))
        #expect(ChannelNormalization.color.shifts == [1, 1, 1])
        let means = [Double](repeating: 9, count: 33)
        #expect(ChannelNormalization(means: means, deviations: means) == nil)
        #expect(ChannelNormalization(means: [], deviations: []) == nil)
        #expect(ChannelNormalization(means: [9], deviations: [0.5]) == nil)
        #expect(ChannelNormalization(means: [256], deviations: [1]) == nil)
        #expect(ChannelNormalization(means: [.nan], deviations: [1]) == nil)
        #expect(ChannelNormalization(means: [1, 2], deviations: [1]) == nil)
        let own = try #require(ChannelNormalization(means: [10, 20], deviations: [5, 40]))
        let image = Image(width: 1, height: 2, channels: 2, pixels: [15, 0, 0, 60])
        for (found, expected) in zip(image.normalized(by: own), [1, -0.5, -2, 1] as [Float]) {
            #expect(abs(found - expected) < 1e-6)
        }
    }
}
