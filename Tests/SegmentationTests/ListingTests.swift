import Datasets
import Foundation
import Images
import TestSupport
import Testing

/// Which files of a folder a data set is made of, and what is said of the others.
@Suite struct ListingTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("a\nb\nc\nd\ne\n", to: "set/classes.txt")
    }

    private var root: String { folder.path + "/set" }

    private func sample(_ split: String, _ name: String, in place: String = "set", mark: UInt8 = 0) throws {
        try folder.writeSample(
            image: "\(place)/images/\(split)/\(name).png", mask: "\(place)/masks/\(split)/\(name).png", width: 10,
            height: 10, mark: mark)
    }

    private func link(_ name: String, to target: String) throws {
        let path = try folder.place(name)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }

    private func names(_ split: Split = .train) throws -> (names: [String], notes: [String]) {
        var notes: [String] = []
        let samples = try Dataset(root: root).samples(split) { notes.append($0) }
        return (samples.map(\.name), notes)
    }

    @Test func linkedFoldersAreFollowed() throws {
        try sample("train", "x", in: "store")
        try sample("train", "deep/y", in: "store", mark: 1)
        try sample("val", "z", in: "store", mark: 2)
        for kind in ["images", "masks"] {
            for split in ["train", "val"] { try link("set/\(kind)/\(split)", to: "../../store/\(kind)/\(split)") }
        }
        #expect(try names().names == ["deep/y", "x"])
        #expect(try names(.val).names == ["z"])
        let report = try DatasetCheck(try Dataset(root: root), threads: 1).run()
        #expect(report.order == ["train", "val"] && report.problems.isEmpty)
        #expect(report.splits["train"]?.images == 2)
    }

    @Test func aLinkedFolderInsideASplitIsFollowed() throws {
        try sample("train", "x")
        try sample("more", "y", in: "store", mark: 1)
        try link("set/images/train/more", to: "../../../store/images/more")
        try link("set/masks/train/more", to: "../../../store/masks/more")
        #expect(try names().names == ["more/y", "x"])
    }

    /// Each folder is listed once, under its own name; what leads back is passed over and told.
    @Test func linksInACircleEnd() throws {
        try sample("train", "b/x")
        try link("set/images/train/a", to: "b")
        try link("set/images/train/b/back", to: "../..")
        try link("set/images/train/b/self", to: ".")
        let found = try names()
        #expect(found.names == ["b/x"])
        let images = root + "/images/train"
        #expect(
            found.notes
                == ["a", "b/back", "b/self"].map {
                    "\(images)/\($0): a link to a folder that is listed already, passed over"
                })
    }

    /// A link to nothing is a fault of its file, not a file that is not there.
    @Test func aBrokenLinkIsNamed() throws {
        try sample("train", "x")
        try link("set/images/train/y.png", to: "nowhere.png")
        try writePNG(rampMask(width: 10, height: 10), palette: [], to: folder.place("set/masks/train/y.png"))
        let report = try DatasetCheck(try Dataset(root: root), threads: 1).run()
        #expect(report.problems.contains { $0.file == root + "/images/train/y.png" })
    }

    @Test func filesOfSystemsArePassedOver() throws {
        try sample("train", "x")
        for name in ["._x.png", ".DS_Store", ".ipynb_checkpoints/x-checkpoint.png", "Thumbs.db", "__MACOSX/._x.png"] {
            try folder.write("rubbish", to: "set/images/train/\(name)")
        }
        try folder.write("rubbish", to: "set/images/__MACOSX/y.png")
        let found = try names()
        #expect(found.names == ["x"] && found.notes.isEmpty)
        #expect(try Dataset(root: root).splits == ["train"])
    }

    @Test func otherEndingsAreCounted() throws {
        try sample("train", "x")
        for name in ["a.heic", "b.HEIC", "c.txt", "README"] { try folder.write("?", to: "set/images/train/\(name)") }
        try folder.write("?", to: "set/masks/train/x.npy")
        let notes = try names().notes
        #expect(notes.count == 2)
        #expect(
            notes.first?.hasPrefix(
                "\(root)/images/train: 2 files of .heic, 1 without ending, 1 of .txt left out") == true)
        #expect(notes.last?.hasPrefix("\(root)/masks/train: 1 file of .npy left out") == true)
        #expect(try DatasetCheck(try Dataset(root: root), threads: 1).run().notes.contains(notes[0]))
    }

    @Test func picturesBesideTheFoldersOfSplitsAreCounted() throws {
        try sample("train", "x")
        try writePNG(ramp(width: 4, height: 4), to: folder.place("set/images/stray.png"))
        #expect(try names().notes == ["\(root)/images: 1 file of .png beside the folders of the splits, left out"])
    }

    @Test func anEmptySplitIsAFault() throws {
        try sample("train", "x")
        try folder.write("?", to: "set/images/val/a.heic")
        let message = failure { _ = try names(.val) }
        #expect(message?.contains("has no images in the split `val`") == true)
        #expect(message?.contains("1 file of .heic left out") == true)
        let problems = try DatasetCheck(try Dataset(root: root), threads: 1).run().problems
        #expect(problems.count == 1 && problems[0].problem.hasPrefix("has no images in the split `val`"))
    }

    @Test(arguments: ["labels", "Annotations", "gt"])
    func masksInAFolderOfAnotherUsualName(name: String) throws {
        try folder.writeSample(
            image: "set/images/train/x.png", mask: "set/\(name)/train/x.png", width: 10, height: 10)
        try folder.write("unused", to: "set/other/train/x.png")
        let found = try names()
        #expect(found.names == ["x"])
        #expect(found.notes == ["\(root): has no masks: the masks are taken from \(name)/train"])
        #expect(try Dataset(root: root).samples(.train).first?.mask == "\(root)/\(name)/train/x.png")
    }

    @Test func flatAndOuterFoldersOfAnotherNameToo() throws {
        try folder.writeSample(image: "set/images/x.png", mask: "set/labels/x.png", width: 10, height: 10)
        #expect(try names().notes == ["\(root): has no masks: the masks are taken from labels"])
        let outer = try TemporaryFolder()
        try outer.write("a\nb\nc\nd\ne\n", to: "classes.txt")
        try outer.writeSample(image: "train/images/x.png", mask: "train/gt/x.png", width: 10, height: 10)
        #expect(try Dataset(root: outer.path).samples(.train).first?.mask == "\(outer.path)/train/gt/x.png")
    }

    @Test func twoFoldersOfMasksAreNotGuessedAbout() throws {
        try folder.writeSample(image: "set/images/train/x.png", mask: "set/labels/train/x.png", width: 10, height: 10)
        try writePNG(rampMask(width: 10, height: 10), palette: [], to: folder.place("set/gt/train/x.png"))
        let message = failure { _ = try names() }
        #expect(message?.contains("has no masks, and the folders gt, labels may all hold the masks") == true)
    }

    /// Texts of boxes, as YOLO has them, are no masks.
    @Test func whereMasksWereLookedForIsSaid() throws {
        try writePNG(ramp(width: 4, height: 4), to: folder.place("set/images/train/x.png"))
        try folder.write("0 0.5 0.5 1 1", to: "set/labels/train/x.txt")
        let message = try #require(failure { _ = try names() })
        #expect(message.contains("no image of the split `train` has a mask (folders there: images, labels)"))
        #expect(message.contains("expected \(root)/masks/train/x.png"))
        let report = try DatasetCheck(try Dataset(root: root), threads: 1).run()
        #expect(report.problems.count == 1)
        #expect(report.problems.first?.problem.hasPrefix("no image of the split `train` has a mask") == true)
    }

    @Test func cityscapesBehindLinks() throws {
        for kind in ["leftImg8bit", "gtFine"] { try link("city/\(kind)/train", to: "../../store/\(kind)") }
        try writePNG(ramp(width: 4, height: 4), to: folder.place("store/leftImg8bit/ulm/u_leftImg8bit.png"))
        for kind in ["labelIds", "labelTrainIds"] {
            try writePNG(
                Mask(width: 4, height: 4, label: 7), palette: [],
                to: folder.place("store/gtFine/ulm/u_gtFine_\(kind).png"))
        }
        let dataset = try Dataset(root: folder.path + "/city")
        let sample = try #require(try dataset.samples(.train).first)
        // Train ids: 7 is the class 7, where the original id 7 is the road.
        #expect(try dataset.reader().read(sample).mask.labels == [UInt8](repeating: 7, count: 16))
    }
}
