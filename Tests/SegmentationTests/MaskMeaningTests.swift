import Datasets
import Foundation
import Images
import TestSupport
import Testing

/// What the values in masks mean is told by all masks of all splits.
@Suite struct MaskMeaningTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Writes a mask of one row, of grey values or of colours, and an image of its size.
    private func write(_ values: [Int], _ split: String, _ name: String, depth: Int = 8, type: Int = 0) throws {
        let width = values.count / (type == 2 ? 3 : 1)
        try writePNG(
            ramp(width: width, height: 1, mark: UInt8(name.utf8.reduce(0) { ($0 &* 7) &+ Int($1) } & 255)),
            to: folder.place("images/\(split)/\(name).png"))
        let mask = PNGBuilder(width: width, height: 1, type: UInt8(type), depth: depth, samples: values)
        try folder.write(mask.bytes(), to: "masks/\(split)/\(name).png")
    }

    private func open(_ classes: String, _ options: DatasetOptions = DatasetOptions()) throws -> Dataset {
        try folder.write(classes, to: "classes.txt")
        return try Dataset(root: folder.path, options: options)
    }

    private func labels(_ dataset: Dataset, _ name: String, _ split: Split = .train) throws -> [UInt8] {
        let sample = try #require(dataset.samples(split).first { $0.name == name })
        return try dataset.reader().read(sample).mask.labels
    }

    /// Twenty empty masks come first, and the object is in the last one of another split.
    @Test func theLastMaskCounts() throws {
        for number in 10..<30 { try write([0, 0], "train", "\(number)") }
        try write([0, 0], "val", "a")
        try write([0, 255], "test", "z")
        let dataset = try open("background\nthing\n")
        #expect(dataset.meaning == MaskMeaning(form: .binary))
        #expect(try labels(dataset, "z", .test) == [0, 1])
        #expect(
            dataset.notes == [
                "\(folder.path): all 22 masks together hold 0, 255 alone: 255 is read as thing (data.masks: binary)"
            ])
    }

    @Test(arguments: [
        ([[0, 1], [0, 255]], "a\nb\n", MaskForm.indices), ([[0, 0], [1, 255]], "a\nb\n", .indices),
        ([[0, 0], [0, 0]], "a\nb\n", .indices), ([[255, 255], [255, 255]], "a\nb\n", .indices),
        ([[0, 255], [0, 0]], "a\nb\nc\n", .indices), ([[0, 255], [0, 0]], "a\n", .indices),
        ([[0, 255], [255, 255]], "a\nb\n", .binary), ([[0, 0], [0, 200]], "a\nb\n", .indices),
    ])
    func twoValues(masks: [[Int]], classes: String, form: MaskForm) throws {
        for (number, mask) in masks.enumerated() { try write(mask, number == 0 ? "train" : "val", "x\(number)") }
        let dataset = try open(classes)
        #expect(dataset.meaning == MaskMeaning(form: form))
        #expect(dataset.notes.count == (form == .binary ? 1 : 0))
    }

    @Test(arguments: [
        ([0, 128, 255], 8), ([0, 127, 254], 8), ([0, 32_768, 65_535], 16), ([0, 100, 200], 8), ([0, 1_000, 2_000], 16),
    ])
    func evenGreysAreTheClassesInOrder(greys: [Int], depth: Int) throws {
        try write([greys[0], greys[0]], "train", "a", depth: depth)
        try write([greys[2], greys[1]], "val", "b", depth: depth)
        let dataset = try open("sky\nroad\ncar\n")
        #expect(dataset.meaning == MaskMeaning(form: .indices, map: [greys[1]: 1, greys[2]: 2]))
        #expect(try labels(dataset, "b", .val) == [2, 1])
        let note = try #require(dataset.notes.first)
        #expect(dataset.notes.count == 1)
        #expect(note.contains("all 2 masks together hold \(greys.map(String.init).joined(separator: ", ")) alone"))
        #expect(note.contains("\(greys[1]) is read as road, \(greys[2]) is read as car"))
        #expect(note.hasSuffix("(data.labels.map: {\(greys[1]): 1, \(greys[2]): 2})"))
    }

    /// Greys that are no such series, or as many as there are not classes, stay what they are: mistakes.
    @Test(arguments: [[0, 60, 255], [0, 128, 128], [0, 85, 170, 255], [0, 2, 4]])
    func otherGreysAreMistakes(greys: [Int]) throws {
        try write(greys, "train", "a")
        let dataset = try open("sky\nroad\ncar\n")
        #expect(dataset.meaning == MaskMeaning(form: .indices))
        #expect(failure { _ = try labels(dataset, "a") }?.contains("has the label") == true)
    }

    @Test func twoClassesOf16Bits() throws {
        try write([0, 0], "train", "a", depth: 16)
        try write([65_535, 0], "train", "b", depth: 16)
        let dataset = try open("a\nb\n")
        #expect(dataset.meaning.form == .binary)
        #expect(try labels(dataset, "b") == [1, 0])
    }

    @Test func whiteOnBlackStoredAsColours() throws {
        try write([0, 0, 0, 255, 255, 255], "train", "a", type: 2)
        let dataset = try open("a\nb\n")
        #expect(dataset.meaning.form == .binary)
        #expect(try labels(dataset, "a") == [0, 1])
    }

    /// The class file's colours go before the order of the classes.
    @Test func greysOfTheClassFile() throws {
        try write([0, 255], "train", "a")
        let reversed = try open("paper 255 255 255\nink 0 0 0\n")
        #expect(try labels(reversed, "a") == [1, 0])
        #expect(reversed.meaning == MaskMeaning(form: .indices, map: [0: 1, 255: 0]))
        try write([0, 50], "train", "a")
        let dark = try open("a 0 0 0\nb 200 200 200\nc 50 50 50\n")
        #expect(try labels(dark, "a") == [0, 2])
    }

    @Test func coloursAreTold() throws {
        try write([255, 0, 0, 0, 255, 0], "train", "a", type: 2)
        try write([255, 0, 0, 255, 0, 0], "val", "b", type: 2)
        let table = "a 255 0 0\nb 0 255 0\n"
        let dataset = try open(table)
        #expect(dataset.meaning.form == .colors)
        #expect(dataset.notes.first?.contains("all 2 masks are read by the colours of the class file") == true)
        // Indices beside colours are read as such.
        try write([1, 0], "test", "c")
        let mixed = try open(table)
        #expect(mixed.meaning.form == .indices)
        #expect(try labels(mixed, "a") == [0, 1] && labels(mixed, "c", .test) == [1, 0])
    }

    @Test func whatTheUserSaysIsNotGuessedAbout() throws {
        try write([0, 255, 7], "train", "a")
        var options = DatasetOptions()
        options.ignoring = [7]
        #expect(try open("a\nb\n", options).meaning == MaskMeaning(form: .binary, ignore: [7]))
        options.mapping = [7: 1]
        options.ignoring = []
        #expect(try labels(open("a\nb\n", options), "a") == [0, 255, 1])
    }

    @Test func binaryMasksWith1And255Contradict() throws {
        try write([0, 1, 255], "train", "a")
        var options = DatasetOptions()
        options.masks = .binary
        let dataset = try open("a\nb\n", options)
        let message = failure { _ = try labels(dataset, "a") }
        #expect(message?.contains("a.png: holds 1 and 255, but is to be read as binary") == true)
    }

    @Test func tilesAreSurveyedToo() throws {
        try write([0, 0, 0, 255], "train", "a")
        try folder.write("a\nb\n", to: "classes.txt")
        var options = DatasetOptions()
        (options.tiles.height, options.tiles.width) = (1, 2)
        let dataset = try Dataset(root: folder.path, layout: .tiles, options: options)
        #expect(dataset.meaning.form == .binary)
    }

    private func problems(_ dataset: Dataset) throws -> [String] {
        try DatasetCheck(dataset, threads: 1).run().problems.map(\.problem)
    }

    @Test func nothingLabelledIsAFault() throws {
        for name in ["a", "b"] { try write([255, 255], "train", name) }
        try write([0, 1], "val", "v")
        let dataset = try open("a\nb\n")
        #expect(
            try problems(dataset).contains {
                $0.hasPrefix("no pixel of the 2 masks of the split `train` is labelled, all are ignored")
            })
        let counts = try LabelCounts(of: dataset.samples(.train), in: dataset, threads: 2)
        #expect(counts.pixels[255] == 4 && counts.faults(.train, of: dataset).map(\.kind) == [.nothingLabelled])
    }

    @Test func aClassWithoutAPixelIsAFaultOfTheUsersOwnList() throws {
        try write([0, 1, 255], "train", "a")
        try write([0, 2], "val", "v")
        let own = try open("a\nb\nc\n")
        #expect(
            try problems(own) == [
                "no pixel of the split `train` is labelled c (33 % of the pixels are ignored): correct the classes, or"
                    + " what the values mean"
            ])
        var options = DatasetOptions()
        options.classes = KnownClasses.voc.table
        let report = try DatasetCheck(try open("unused\n", options), threads: 1).run()
        #expect(report.problems.isEmpty)
        #expect(report.notes.contains { $0.hasPrefix("no pixel of the split `train` is labelled bicycle, ") })
    }

    /// Masks of another making beside those of indices, whose 255 would be ignored in silence.
    @Test(arguments: [
        (
            ["train": [[0, 1], [0, 1], [0, 255]], "val": [[0, 1]]], "a\nb\n", "1 of the 3 masks of the split `train`"
        ),
        (["train": [[0, 1]], "val": [[0, 255], [255, 0]]], "a\nb\n", "2 of the 2 masks of the split `val`"),
        (
            ["train": [[0, 1]], "val": [[0, 1]], "test": [[0, 255]]], "a\nb\n", "1 of the 1 masks of the split `test`"
        ),
        (["train": [[0, 1, 2]], "val": [[0, 255, 0]]], "a\nb\nc\n", "1 of the 1 masks of the split `val`"),
    ])
    func whiteBesideIndices(splits: [String: [[Int]]], classes: String, start: String) throws {
        for (split, masks) in splits {
            for (number, mask) in masks.enumerated() { try write(mask, split, "\(split)\(number)") }
        }
        let dataset = try open(classes)
        #expect(dataset.meaning.form == .indices)
        let found = try problems(dataset)
        #expect(found.contains { $0.hasPrefix(start) && $0.contains("hold 0 and 255 alone (the first: ") }, "\(found)")
        var options = DatasetOptions()
        options.ignoring = [255]
        #expect(try problems(open(classes, options)).allSatisfy { !$0.contains("alone") })
    }

    /// Borders around objects, and an image of the first class with a border among them, are ordinary.
    @Test func bordersAreIgnoredInPeace() throws {
        try write([0, 1, 255, 0], "train", "a")
        try write([0, 0, 255, 0], "train", "b")
        try write([0, 255, 1, 0], "val", "v")
        let report = try DatasetCheck(try open("a\nb\n"), threads: 1).run()
        #expect(report.problems.isEmpty && report.notes == ["classes: from classes.txt"])
    }

    @Test func aSplitThatIsMeasuredOnIsLookedAtToo() throws {
        try write([0, 1], "train", "a")
        try write([1, 255, 255, 255], "val", "v")
        let report = try DatasetCheck(try open("a\nb\n"), threads: 1).run()
        #expect(report.problems.first?.problem.hasPrefix("75 % of the pixels are ignored in the split `val`") == true)
        #expect(report.notes.contains("no pixel of the split `val` is labelled a (75 % of the pixels are ignored)"))
    }

    @Test func mostPixelsIgnoredIsAFaultUnlessItIsMeant() throws {
        try write([0, 1, 255, 255, 255], "train", "a")
        #expect(try problems(open("a\nb\n")).first?.hasPrefix("60 % of the pixels are ignored") == true)
        var options = DatasetOptions()
        options.ignoring = [255]
        let report = try DatasetCheck(try open("a\nb\n", options), threads: 1).run()
        #expect(report.problems.isEmpty && report.notes.contains { $0.hasPrefix("60 % of the pixels") })
    }

    @Test func oneClassTeachesNothing() throws {
        try write([0, 255], "train", "a")
        #expect(try problems(open("thing\n")).contains { $0.hasPrefix("there is one class alone, `thing`") })
    }

    /// train.txt and val.txt name the same image; trainval.txt joins both on purpose.
    @Test func theSameFileInTwoSplits() throws {
        for name in ["a", "b", "c"] {
            try folder.writeSample(
                image: "img/\(name).png", mask: "lab/\(name).png", width: 10, height: 10, mark: name.utf8.first ?? 0)
        }
        func list(_ split: String, _ names: [String]) throws {
            try folder.write(names.map { "img/\($0).png lab/\($0).png\n" }.joined(), to: "\(split).txt")
        }
        try list("train", ["a", "b"])
        try list("val", ["c"])
        try list("trainval", ["a", "b", "c"])
        #expect(try problems(open("a\nb\nc\nd\ne\n")).isEmpty)
        try list("val", ["b", "c"])
        let report = try DatasetCheck(try open("a\nb\nc\nd\ne\n"), threads: 1).run()
        #expect(report.problems.map(\.file) == [folder.path + "/img/b.png"])
        #expect(report.problems.first?.problem.hasPrefix("is in the splits train and val: ") == true)
        // Whoever trains on trainval has said so.
        let check = try DatasetCheck(
            try open("a\nb\nc\nd\ne\n"), threads: 1, needed: ["trainval", "train"], measured: "test")
        #expect(check.run().problems.count == 2)
    }

    @Test func neededSplitsMustBeThere() throws {
        try write([0, 1], "train", "a")
        let dataset = try open("a\nb\n")
        let report = try DatasetCheck(dataset, threads: 1, needed: [.train, .val]).run()
        #expect(report.problems.map(\.problem).first?.contains("has no split `val`") == true)
        try writePNG(ramp(width: 2, height: 1), to: folder.place("images/val/v.png"))
        let unlabelled = try DatasetCheck(dataset, threads: 1, needed: [.train, .val]).run()
        #expect(unlabelled.problems.first?.problem.hasPrefix("no image of the split `val` has a mask") == true)
    }
}
