import Datasets
import Foundation
import Images
import Planning
import TestSupport
import Testing

/// Splits for data that have none: what belongs together stays together.
@Suite struct SplitProposalTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ names: [String], masks: Bool = true, below place: String = "") throws {
        let image = Image(width: 2, height: 2, pixels: [UInt8](repeating: 7, count: 12))
        for name in names {
            for kind in masks ? ["images", "masks"] : ["images"] {
                let path = try folder.place("\(kind)/\(place)\(name).png")
                try pngData(image, file: path).write(to: URL(fileURLWithPath: path))
            }
        }
        try folder.write("a\nb\n", to: "classes.txt")
    }

    private func proposal(seed: UInt64 = 1) throws -> SplitProposal? {
        try SplitProposal(Dataset(root: folder.path, layout: .folders), seed: seed)
    }

    @Test(arguments: [
        ("a/drive_0012.png", "a/drive"), ("drive-0012_x256_y0.png", "/drive"), ("scan.7.png", "/scan"),
        ("frame00012.png", "/frame"), ("x/0001TP_007740.jpg", "x/0001TP"), ("IMG_1.jpg", "/IMG"),
        ("9ff3a1c0b2.png", "/9ff3a1c0b2"), ("00017.png", "/"), ("tile_f12.png", "/tile"), ("week2b.png", "/week2b"),
    ]) func stems(path: String, stem: String) {
        #expect(SplitProposal.stem(path) == stem)
    }

    @Test func wholeGroupsAreDealtOut() throws {
        let names = (0..<20).flatMap { group in (0..<5).map { "scene\(Character(UnicodeScalar(97 + group)!))_\($0)" } }
        try write(names)
        let found = try #require(try proposal())
        let splits = found.assignment.splits
        #expect(splits.count == 100 && found.counts == ["train": 70, "val": 15, "test": 15])
        for (_, images) in Dictionary(grouping: splits, by: { SplitProposal.stem($0.key) }) {
            #expect(Set(images.map(\.value)).count == 1)
        }
        #expect(try proposal()?.assignment == found.assignment)
        #expect(try proposal(seed: 2)?.assignment != found.assignment)
    }

    @Test func imagesForMeasuringAloneAreDividedToo() throws {
        try write((0..<40).map { "scene\($0)x" }, below: "val/")
        let found = try #require(try proposal())
        #expect(found.counts == ["train": 28, "val": 6, "test": 6], "\(found.note)")
    }

    /// Each image is measured once, by a network that learns from all others.
    @Test func fewImagesAreMeasuredInTurn() throws {
        try write((0..<11).map { "scene\(Character(UnicodeScalar(97 + $0)!))" })
        let dataset = try Dataset(root: folder.path, layout: .folders)
        let found = try #require(try SplitProposal(dataset, seed: 1, folds: 4))
        #expect(found.counts == ["train": 11] && Set(found.assignment.splits.values) == ["train"])
        #expect(found.folds.count == 4 && found.note.contains("4-fold cross-validation"))
        var measured: [String] = []
        for fold in found.folds {
            #expect(Set(fold.splits.keys) == Set(found.assignment.splits.keys))
            measured += fold.splits.filter { $0.value == "val" }.map(\.key)
        }
        #expect(measured.sorted() == found.assignment.splits.keys.sorted())
        // Splits are drawn where nothing else is asked for, and where images are enough.
        #expect(try SplitProposal(dataset, seed: 1)?.folds == [])
        try write((0..<11).map { "other\(Character(UnicodeScalar(97 + $0)!))" })
        let more = try SplitProposal(Dataset(root: folder.path, layout: .folders), seed: 1, folds: 4)
        #expect(more?.folds == [] && more?.counts.keys.sorted() == ["test", "train", "val"])
    }

    /// Frames of one video: neighbours go together, and few of them lie beside a frame of another split.
    @Test func framesOfAVideoAreCutIntoRuns() throws {
        try write((0..<100).map { String(format: "drive_%04d", $0) })
        let found = try #require(try proposal())
        let order = found.assignment.splits.sorted { $0.key < $1.key }.map(\.value)
        let borders = zip(order, order.dropFirst()).filter { $0 != $1 }.count
        #expect(borders <= 12 && Set(order) == ["train", "val", "test"])
        #expect(found.note.contains("runs of 5 images"))
    }

    @Test func oneByOneWhereNothingBelongsTogether() throws {
        try write(["ab", "cd", "ef", "gh", "ij", "kl", "mn", "op", "qr", "st"])
        let found = try #require(try proposal())
        #expect(found.counts == ["train": 6, "val": 2, "test": 2] && found.note.contains("image by image"))
    }

    /// What is there stays; only what is missing is drawn, out of the training images.
    @Test func ownSplitsStay() throws {
        try write((0..<20).map { "t\($0)" }, below: "train/")
        try write(["v1", "v2"], below: "val/")
        let found = try #require(try proposal())
        let splits = found.assignment.splits
        #expect(splits["images/val/v1.png"] == "val" && splits["images/val/v2.png"] == "val")
        #expect(found.counts == ["train": 17, "val": 2, "test": 3])
        try write(["z1"], below: "test/")
        #expect(try proposal() == nil)
    }

    @Test func testImagesWithoutMasksDoNotCount() throws {
        try write((0..<20).map { "t\($0)" }, below: "train/")
        try write(["v1"], below: "val/")
        try write(["z1", "z2"], masks: false, below: "test/")
        let found = try #require(try proposal())
        #expect(found.counts == ["train": 17, "val": 1, "test": 3])
        #expect(found.assignment.splits["images/test/z1.png"] == nil)
    }

    @Test func threeImagesAreEnoughAndTwoAreNot() throws {
        try write(["ab", "cd", "ef"])
        #expect(try proposal()?.counts == ["train": 1, "val": 1, "test": 1])
        try FileManager.default.removeItem(atPath: folder.file("images/ab.png"))
        try FileManager.default.removeItem(atPath: folder.file("masks/ab.png"))
        #expect(throws: DataError.self) { try proposal() }
    }
}
