import Datasets
import Foundation
import Images
import TestSupport
import Testing

/// A table that says which image is of which split.
@Suite struct SplitAssignmentTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for (split, name) in [("train", "a"), ("train", "b"), ("val", "a"), ("val", "c")] {
            try writePNG(ramp(width: 2, height: 2, mark: 7), to: folder.place("images/\(split)/\(name).png"))
            let mask = PNGBuilder(width: 2, height: 2, type: 0, depth: 8, samples: [0, 1, 0, 1])
            try folder.write(mask.bytes(), to: "masks/\(split)/\(name).png")
        }
        try folder.write("x\ny\n", to: "classes.txt")
    }

    private func open(_ table: String) throws -> Dataset {
        try folder.write(table, to: "splits.csv")
        var options = DatasetOptions()
        options.assignment = try SplitAssignment(file: folder.file("splits.csv"))
        return try Dataset(root: folder.path, options: options)
    }

    @Test func goesBeforeTheFolders() throws {
        let dataset = try open(
            "image,split\nimages/train/a.png,test\nimages/train/b.png,train\nimages/val/a.png,test\n")
        #expect(dataset.splits == ["train", "test"])
        #expect(try dataset.samples("train").map(\.name) == ["b"])
        // Two images of one name: the second has its own split's in front.
        #expect(try dataset.samples("test").map(\.name) == ["a", "val-a"])
        #expect(try dataset.samples("train+test").count == 3)
        #expect(throws: DataError.self) { try dataset.samples("val") }
    }

    @Test func whatIsNotThereIsAFault() throws {
        let dataset = try open("image,split\nimages/train/a.png,train\nimages/train/typo.png,train\nb,test\n")
        let error = failure { _ = try dataset.samples("train") }
        #expect(
            error?.contains("splits.csv:3: names images/train/typo.png, which is not there") == true, "\(error ?? "")")
        #expect(failure { _ = try dataset.samples("test") }?.contains("splits.csv:4: names b, which") == true)
        let right = try open("image,split\nimages/train/a.png,train\n")
        var notes: [String] = []
        #expect(try right.samples("train") { notes.append($0) }.count == 1)
        #expect(notes.contains { $0.contains("does not name (3), as images/train/b.png") }, "\(notes)")
    }

    @Test func comesBackAsItWasWritten() throws {
        let table = SplitAssignment(["b, c.png": "train", "say \"a\".png": "val", "a.png": "test"])
        try folder.write(table.table, to: "own.csv")
        #expect(try SplitAssignment(file: folder.file("own.csv")) == table)
    }

    @Test(arguments: [
        ("", "names no image"), ("image,split\n", "names no image"), ("image,split\na.png\n", "splits.csv:2"),
        ("image,split\na.png,train\na.png,val\n", "a second time"), ("image,split\na.png,train+val\n", "splits.csv:2"),
        ("image,split\na.png,../x\n", "splits.csv:2"), ("image;split\n", "splits.csv:1"),
    ]) func refusesWithTheLine(table: String, words: String) throws {
        let error = #expect(throws: DataError.self) { try open(table) }
        #expect("\(error.map { "\($0)" } ?? "")".contains(words), "\(String(describing: error))")
    }
}
