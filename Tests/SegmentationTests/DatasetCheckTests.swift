import Datasets
import Foundation
import Images
import TestSupport
import Testing

@Suite struct DatasetCheckTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("a\nb\nc\nd\ne\n", to: "classes.txt")
    }

    private func sample(_ split: String, _ name: String, width: Int = 20, height: Int = 10, mark: UInt8 = 0) throws {
        try folder.writeSample(
            image: "images/\(split)/\(name).png", mask: "masks/\(split)/\(name).png", width: width, height: height,
            mark: mark)
    }

    private func check(_ options: DatasetOptions = DatasetOptions(), threads: Int = 2) throws -> DatasetReport {
        try DatasetCheck(try Dataset(root: folder.path, options: options), threads: threads).run()
    }

    @Test func figures() throws {
        try sample("train", "x", width: 20, height: 10)
        try sample("train", "y", width: 40, height: 30)
        try sample("train", "z", width: 30, height: 20)
        try sample("val", "v", width: 10, height: 10, mark: 9)
        var counts: [Int] = []
        let check = try DatasetCheck(try Dataset(root: folder.path), threads: 3)
        let report = check.run { counts.append($0) }
        #expect(check.count == 4 && counts == [1, 2, 3, 4])
        #expect(
            report.problems.isEmpty && report.notes == ["classes: from classes.txt"]
                && report.order == ["train", "val"])
        let train = try #require(report.splits["train"])
        #expect(train.images == 3 && train.unlabelled == 0 && train.sizes == 3 && train.channels == ["3": 3])
        #expect(train.smallest == [20, 10] && train.largest == [40, 30] && train.median == [30, 20])
        // By hand: each mask's labels are (column + 2 row) mod 5, so all classes are as frequent in these sizes.
        let pixels = 200 + 1_200 + 600 + 100
        #expect(report.classes.map(\.name) == ["a", "b", "c", "d", "e"])
        #expect(report.classes.allSatisfy { $0.pixels == pixels / 5 && $0.images == 4 })
        #expect(report.suggestion.classWeights == [1, 1, 1, 1, 1])
        var red: [Double] = []
        for (width, height) in [(20, 10), (40, 30), (30, 20), (10, 10)] {
            for _ in 0..<height { red += (0..<width).map(Double.init) }
        }
        let mean = red.reduce(0, +) / Double(red.count)
        let deviation = (red.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(red.count)).squareRoot()
        #expect(abs(report.mean[0] - mean) < 1e-9 && abs(report.deviation[0] - deviation) < 1e-9)
        #expect(abs(report.mean[2] - 9.0 * 100 / Double(pixels)) < 1e-9)
        #expect(try DatasetCheck(try Dataset(root: folder.path), threads: 1).run() == report)
    }

    @Test func everyKindOfFaultIsFound() throws {
        for name in ["good", "bad", "large", "range", "colour", "alone"] {
            try sample("train", name, mark: UInt8(name.utf8.count * 7))
        }
        try sample("val", "twin", mark: UInt8("good".utf8.count * 7))
        try sample("val", "other", mark: 200)
        try folder.write([1, 2, 3], to: "images/train/bad.png")
        try writePNG(rampMask(width: 21, height: 10), palette: [], to: folder.place("masks/train/large.png"))
        var mask = rampMask(width: 20, height: 10)
        mask[7, 3] = 5
        try writePNG(mask, palette: [], to: folder.place("masks/train/range.png"))
        try writePNG(ramp(width: 20, height: 10), to: folder.place("masks/train/colour.png"))
        try FileManager.default.removeItem(atPath: folder.place("masks/train/alone.png"))
        try writePNG(mask, palette: [], to: folder.place("masks/train/stray.png"))
        let report = try check()
        func problem(_ file: String) -> String? {
            report.problems.first { $0.file.hasSuffix(file) }?.problem
        }
        #expect(problem("images/train/bad.png") == "is no image of a known format (PNG, JPEG, TIFF, BMP, WebP, GIF)")
        #expect(problem("masks/train/large.png")?.contains("is 21x10 pixels, but its image") == true)
        #expect(problem("masks/train/range.png")?.hasPrefix("has the label 5 at column 7, row 3") == true)
        #expect(problem("masks/train/colour.png")?.hasPrefix("is a colour PNG") == true)
        #expect(problem("images/train/alone.png")?.hasPrefix("has no mask") == true)
        #expect(problem("masks/train/stray.png")?.hasPrefix("has no image") == true)
        #expect(problem("images/val/twin.png")?.contains("shows the same as") == true)
        #expect(problem("images/val/twin.png")?.contains("images/train/good.png (train)") == true)
        #expect(report.problems.count == 7)
        #expect(report.splits["train"]?.images == 6 && report.splits["train"]?.unlabelled == 1)
    }

    @Test func equalImagesWithinASplitAreANote() throws {
        try sample("train", "x")
        try sample("train", "y")
        // The same pixels in another file format count too.
        let grey = Color(9, 9, 9)
        try writePNG(Mask(width: 4, height: 4, label: 0), palette: [grey], to: folder.place("images/train/p.png"))
        try writePNG(Image(width: 4, height: 4, color: grey), to: folder.place("images/train/q.png"))
        for name in ["p", "q"] {
            try writePNG(Mask(width: 4, height: 4, label: 0), palette: [], to: folder.place("masks/train/\(name).png"))
        }
        let report = try check()
        #expect(report.problems.isEmpty)
        #expect(report.notes.contains("train: 2 images show the same as another one of this split: q as p, y as x"))
    }

    @Test func unnamedClassesAreShownByNumber() throws {
        try FileManager.default.removeItem(atPath: folder.place("classes.txt"))
        try sample("train", "x")
        var options = DatasetOptions()
        options.acceptsUnnamedClasses = true
        let report = try check(options)
        #expect(report.classes.map(\.name) == (0..<5).map { "class \($0)" })
        #expect(report.notes.contains { $0.hasPrefix("no class names") })
        // Without it nothing is opened, as for a training.
        #expect(failure { _ = try check() }?.contains("classes.txt: is missing") == true)
    }

    @Test func splitsWithoutMasksAreNotes() throws {
        try sample("train", "x")
        try writePNG(ramp(width: 5, height: 5, mark: 3), to: folder.place("images/test/t.png"))
        let report = try check()
        #expect(report.problems.isEmpty)
        #expect(report.notes.contains("test: no image has a mask"))
    }

    @Test func masksOf0And255AreANote() throws {
        try sample("train", "x")
        var mask = Mask(width: 20, height: 10, label: 0)
        mask[1, 1] = 255
        try writePNG(mask, palette: [], to: folder.place("masks/train/x.png"))
        #expect(try check().notes.contains { $0.contains("set data.masks to binary") })
    }

    @Test(
        .enabled(if: sharedData("camvid") != nil, "../shared/data is not there"),
        arguments: [
            ("camvid", [367, 101, 233], 121_132_800), ("nuclei", [465, 66, 133], 102_572_276),
        ])
    func realData(name: String, counts: [Int], pixels: Int) throws {
        var options = DatasetOptions()
        options.acceptsUnnamedClasses = true
        let dataset = try Dataset(root: #require(sharedData(name)), options: options)
        let report = try DatasetCheck(dataset, threads: 2).run()
        #expect(report.problems.isEmpty)
        #expect(report.order.map { report.splits[$0]?.images } == counts)
        #expect(report.classes.reduce(0) { $0 + $1.pixels } == pixels)
    }
}
