import Datasets
import Foundation
import Images
import TestSupport
import Testing

@Suite struct LayoutTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func touch(_ names: String...) throws { for name in names { try folder.write("x", to: name) } }

    private func dataset(classes: Int = 3) throws -> Dataset {
        try Dataset(root: folder.path, classes: ClassTable(count: classes))
    }

    private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

    @Test func foldersWithSplitsInside() throws {
        try touch("images/train/b.JPG", "images/train/a.png", "images/val/c.jpeg", "images/train/.DS_Store")
        try touch("masks/train/a.png", "masks/train/b.png", "masks/val/c.PNG", "images/train/notes.txt")
        let dataset = try dataset()
        #expect(dataset.layout == .folders && dataset.splits == [.train, .val])
        #expect(
            try dataset.samples(.train) == [
                Sample(name: "a", image: path("images/train/a.png"), mask: path("masks/train/a.png")),
                Sample(name: "b", image: path("images/train/b.JPG"), mask: path("masks/train/b.png")),
            ])
        #expect(try dataset.samples(.val).map(\.name) == ["c"])
        let message = failure { _ = try dataset.samples(.test) }
        #expect(message?.contains("has no split `test` (found: train, val)") == true)
        #expect(failure { _ = try dataset.samples("../x") }?.contains("no name of a split") == true)
    }

    @Test func foldersWithSplitsOutside() throws {
        try touch("train/images/city/a.png", "train/masks/city/a.png", "test/images/b.png")
        let dataset = try dataset()
        #expect(dataset.layout == .folders && dataset.splits == [.train, .test])
        #expect(try dataset.samples(.train).map(\.name) == ["city/a"])
        let message = failure { _ = try dataset.samples(.test) }
        #expect(message?.contains("no image of the split `test` has a mask (folders there: test, train)") == true)
        #expect(
            message?.hasSuffix(
                "\(path("test/images/b.png")): has no mask: expected \(path("test/masks/b")).png; add the mask or"
                    + " remove the image") == true)
        #expect(try dataset.samples(.test, masks: false).map(\.mask) == [nil])
    }

    @Test func foldersWithListsOfStems() throws {
        try touch("images/a.png", "images/b.png", "images/c.png", "masks/a.png", "masks/b.png", "masks/c.png")
        try folder.write("c\r\na.png\r\n\r\n", to: "train.txt")
        try folder.write("b\nd\n", to: "val.txt")
        let dataset = try dataset()
        #expect(dataset.layout == .folders && dataset.splits == [.train, .val])
        #expect(try dataset.samples(.train).map(\.name) == ["c", "a"])
        #expect(failure { _ = try dataset.samples(.val) }?.contains("val.txt:2: lists `d`, but there is no") == true)
    }

    @Test func foldersWithoutSplitsAreAllForTraining() throws {
        try touch("images/a.png", "masks/a.png")
        #expect(try dataset().splits == [.train])
        #expect(try dataset().samples(.train).count == 1)
        #expect(failure { _ = try dataset().samples(.val) }?.contains("list its stems in val.txt") == true)
    }

    @Test func strayMasksAndEqualStemsAreReported() throws {
        try touch("images/train/a.png", "masks/train/a.png", "masks/train/b.png")
        #expect(failure { _ = try dataset().samples(.train) }?.contains("masks/train/b.png: has no image") == true)
        try touch("images/train/a.jpg", "images/train/b.png")
        #expect(failure { _ = try dataset().samples(.train) }?.contains("has the same stem as") == true)
    }

    /// A JPEG beside a mask is somebody's preview; a second mask is not.
    @Test func twoMasksOfAnImageAreReported() throws {
        try touch("images/train/a.png", "masks/train/a.png", "masks/train/a.jpg")
        #expect(try dataset().samples(.train).map(\.mask) == [path("masks/train/a.png")])
        try touch("masks/train/a.bmp")
        let message = failure { _ = try dataset().samples(.train) }
        #expect(
            message == "\(path("masks/train/a.png")): has the same stem as \(path("masks/train/a.bmp")): rename or"
                + " remove one of them")
    }

    /// What reads the splits and what lists them agree: folders of splits in `images` go before anything beside them.
    @Test func splitsInsideGoBeforeLeftovers() throws {
        for split in ["train", "val"] { try touch("images/\(split)/\(split).png", "masks/\(split)/\(split).png") }
        try touch("original/images/x.png", "train/images/y.png", "masks/z.png")
        try folder.write("old\n", to: "train.txt")
        let dataset = try dataset()
        #expect(dataset.splits == [.train, .val])
        var notes: [String] = []
        #expect(try dataset.samples(.train) { notes.append($0) }.map(\.name) == ["train"])
        #expect(
            notes == [
                "\(path("masks")): 1 file of .png beside the folders of the splits, left out",
                "\(folder.path): original/images, train/images, train.txt left out: the splits are images/train,"
                    + " images/val",
            ])
        #expect(try dataset.samples(.val).map(\.name) == ["val"])
    }

    @Test func foldersOfMasksAloneAreTold() throws {
        try touch("images/train/a.png", "masks/train/a.png", "masks/val/b.png", "masks/val/c.png")
        var notes: [String] = []
        #expect(try dataset().samples(.train) { notes.append($0) }.count == 1)
        #expect(notes == ["\(path("masks")): masks without a folder of images, left out: val (2)"])
    }

    @Test func splitsOutsideGoBeforeLists() throws {
        try touch("images/c.png", "masks/c.png", "train/images/a.png", "train/masks/a.png")
        try folder.write("c\n", to: "train.txt")
        try folder.write("c\n", to: "val.txt")
        let dataset = try dataset()
        #expect(dataset.splits == [.train, .val])
        #expect(try dataset.samples(.train).map(\.name) == ["a"])
        #expect(try dataset.samples(.val).map(\.name) == ["c"])
    }

    /// A copy of the images elsewhere is no split of its own.
    @Test func aFolderOfImagesGoesBeforeOneOfAnotherName() throws {
        try touch("images/a.png", "masks/a.png", "original/images/a.png")
        #expect(try dataset().splits == [.train])
        var notes: [String] = []
        #expect(try dataset().samples(.train) { notes.append($0) }.map(\.image) == [path("images/a.png")])
        #expect(notes == ["\(folder.path): original/images left out: the splits are train"])
    }

    @Test func listsOfPairs() throws {
        try touch("train/a.png", "trainannot/a.png", "train/b.png", "trainannot/b.png", "with space/c.png")
        try folder.write("train/a.png trainannot/a.png\n# comment\ntrain/b.png   trainannot/b.png\n", to: "train.txt")
        try folder.write("with space/c.png\t./trainannot/a.png\n", to: "val.txt")
        try folder.write("train/a.png\n", to: "test.txt")
        let dataset = try dataset()
        #expect(dataset.layout == .list && dataset.splits == [.train, .val, .test])
        #expect(
            try dataset.samples(.train)[1]
                == Sample(name: "b", image: path("train/b.png"), mask: path("trainannot/b.png")))
        #expect(try dataset.samples(.val)[0].image == path("with space/c.png"))
        #expect(failure { _ = try dataset.samples(.test) }?.contains("test.txt:1: names no mask") == true)
        #expect(try dataset.samples(.test, masks: false).count == 1)
        #expect(failure { _ = try dataset.samples("extra") }?.contains("lists found: train, val, test") == true)
    }

    @Test(
        "A layout that was set and has nothing in the folder is told how to be left",
        arguments: [Layout.list, .cityscapes, .voc])
    func nothingOfTheLayout(layout: Layout) throws {
        try touch("images/train/a.png", "masks/train/a.png")
        let message =
            failure {
                _ = _ = try Dataset(root: folder.path, layout: layout, classes: ClassTable(count: 3)).samples(.train)
            } ?? ""
        #expect(message.contains("set data.format=auto") && !message.contains("found: )"), "\(message)")
    }

    @Test func foreignPathsInListsLoseTheirLeadingFolders() throws {
        try touch("train/a.png", "trainannot/a.png", "train/b.png", "trainannot/b.png", "b.png")
        let lines = ["a", "b"].map { "/SegNet/CamVid/train/\($0).png /SegNet/CamVid/trainannot/\($0).png\n" }
        try folder.write(lines.joined(), to: "train.txt")
        #expect(try dataset().samples(.train).map(\.image) == [path("train/a.png"), path("train/b.png")])
        // The same number of folders for all lines: a missing file is not mistaken for another of its name.
        try FileManager.default.removeItem(atPath: path("train/b.png"))
        let message = failure { _ = try dataset().samples(.train) }
        #expect(message == "\(path("train.txt")):2: names train/b.png, which is not in \(folder.path)")
    }

    @Test(arguments: ["../a.png m.png", "train/../../a.png m.png", "/.. m.png", "a b c"])
    func listsCannotLeaveTheRoot(line: String) throws {
        try touch("a.png", "m.png")
        try folder.write(line + "\n", to: "train.txt")
        let message = failure { _ = try dataset().samples(.train) }
        #expect(message?.hasPrefix(path("train.txt:1: ")) == true)
    }

    @Test func listsOfDeepPathsAreReadInTheTimeOfTheirLength() throws {
        try touch("a.png", "m.png")
        let deep = String(repeating: "f/", count: 20_000)
        try folder.write("a.png m.png\n\(deep)a.png m.png\n", to: "train.txt")
        #expect(
            failure { _ = try dataset().samples(.train) }
                == "\(path("train.txt")):2: names a path of 40005 bytes, and none is longer than 4095")
        // As deep as a path can be, on as many lines as decide what is left off.
        let deepest = String(repeating: "f/", count: 2_040)
        try folder.write(
            String(repeating: "\(deepest)none.png m.png\n", count: 99) + "\(deepest)a.png m.png\n", to: "train.txt")
        let message = failure { _ = try dataset().samples(.train) }
        #expect(message?.hasPrefix("\(path("train.txt")):1: names none.png, which is not in") == true)
    }

    @Test func linksOutOfTheRootAreFollowedWhereAllowed() throws {
        let other = try TemporaryFolder()
        try other.write("x", to: "b.png")
        try touch("a.png", "m.png")
        #expect(symlink("a.png", path("inner.png")) == 0 && symlink(other.path, path("out")) == 0)
        try folder.write("inner.png m.png\n", to: "train.txt")
        #expect(try dataset().samples(.train).count == 1)
        try folder.write("out/b.png m.png\n", to: "train.txt")
        let strict = try dataset()
        let message = failure { _ = try strict.samples(.train) }
        #expect(
            message?.hasPrefix("\(path("train.txt")):1: names out/b.png, a link out of the data set's folder") == true)
        try folder.write(
            "out/b.png m.png\n\(other.path)/b.png\t../\((folder.path as NSString).lastPathComponent)/m.png\n",
            to: "train.txt")
        var options = DatasetOptions()
        options.classes = ClassTable(count: 3)
        options.allowsOutsideRoot = true
        #expect(
            try Dataset(root: folder.path, options: options).samples(.train).map(\.image) == [
                path("out/b.png"), "\(other.path)/b.png",
            ])
    }

    @Test func unknownFoldersSayWhatIsNeeded() throws {
        #expect(failure { _ = try detectLayout(folder.path) }?.contains("no data set of a known layout") == true)
        #expect(failure { _ = try Dataset(root: path("none")) }?.contains("is no folder") == true)
        try touch("images/a.png")
        #expect(failure { _ = try Dataset(root: folder.path) }?.contains("classes.txt: is missing") == true)
    }

    @Test func cityscapes() throws {
        for split in ["train", "val"] {
            try touch("leftImg8bit/\(split)/aachen/aachen_0_1_leftImg8bit.png")
            try touch("gtFine/\(split)/aachen/aachen_0_1_gtFine_labelIds.png")
            try touch("gtFine/\(split)/aachen/aachen_0_1_gtFine_color.png")
        }
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.layout == .cityscapes && dataset.classes.count == 19 && dataset.splits == [.train, .val])
        #expect(
            try dataset.samples(.val) == [
                Sample(
                    name: "aachen_0_1", image: path("leftImg8bit/val/aachen/aachen_0_1_leftImg8bit.png"),
                    mask: path("gtFine/val/aachen/aachen_0_1_gtFine_labelIds.png"))
            ])
        #expect([0, 7, 33, 34, 255].map { dataset.labels[$0] } == [255, 0, 18, nil, 255])
        for split in ["train", "val"] { try touch("gtFine/\(split)/aachen/aachen_0_1_gtFine_labelTrainIds.png") }
        let trained = try Dataset(root: folder.path)
        #expect(try trained.samples(.val)[0].mask?.hasSuffix("labelTrainIds.png") == true)
        #expect([0, 18, 19, 255].map { trained.labels[$0] } == [0, 18, nil, 255])
    }

    @Test func cityscapesTakesTheImagesThatAreThere() throws {
        try touch("leftImg8bit/train/ulm/ulm_0_1_leftImg8bit.jpg", "leftImg8bit/train/ulm/ulm_0_2_leftImg8bit.JPEG")
        for frame in ["ulm_0_1", "ulm_0_2"] { try touch("gtFine/train/ulm/\(frame)_gtFine_labelIds.png") }
        let samples = try Dataset(root: folder.path).samples(.train)
        #expect(
            samples.map(\.image) == [
                path("leftImg8bit/train/ulm/ulm_0_1_leftImg8bit.jpg"),
                path("leftImg8bit/train/ulm/ulm_0_2_leftImg8bit.JPEG"),
            ])
        try touch("leftImg8bit/train/ulm/ulm_0_1_leftImg8bit.png")
        let message = failure { _ = try Dataset(root: folder.path).samples(.train) }
        #expect(message?.contains("has the same stem as") == true)
    }

    @Test func cityscapesTellsWhatIsLeftOut() throws {
        try touch("leftImg8bit/train/ulm/ulm_0_1_leftImg8bit.png", "gtFine/train/ulm/ulm_0_1_gtFine_labelIds.png")
        try touch("leftImg8bit/train/ulm/ulm_0_2_leftImg8bit.heic", "leftImg8bit/train/ulm/other.png")
        try touch("gtFine/train/ulm/ulm_0_2_gtFine_labelIds.png", "gtFine/train/ulm/ulm_0_1_gtFine_color.png")
        var notes: [String] = []
        #expect(try Dataset(root: folder.path).samples(.train) { notes.append($0) }.count == 1)
        let images = path("leftImg8bit/train")
        #expect(notes.count == 3 && notes[0].hasPrefix("\(images): 1 file of .heic left out"))
        #expect(notes[1] == "\(images): 1 file of .png left out (images are called X_leftImg8bit.png)")
        #expect(notes[2] == "\(path("gtFine/train")): 1 masks have no image, left out")
    }

    @Test func cityscapesCoarseAndExtra() throws {
        for (split, masks) in [("train", "gtFine"), ("train", "gtCoarse"), ("train_extra", "gtCoarse")] {
            try touch("leftImg8bit/\(split)/ulm/ulm_0_1_leftImg8bit.png")
            try touch("\(masks)/\(split)/ulm/ulm_0_1_\(masks)_labelIds.png")
        }
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.splits.map(\.rawValue) == ["train", "train_coarse", "train_extra"])
        func masks(_ split: Split) throws -> [String?] {
            try dataset.samples(split).map { $0.mask?.replacingOccurrences(of: folder.path + "/", with: "") }
        }
        #expect(try masks("train") == ["gtFine/train/ulm/ulm_0_1_gtFine_labelIds.png"])
        #expect(try masks("train_coarse") == ["gtCoarse/train/ulm/ulm_0_1_gtCoarse_labelIds.png"])
        #expect(try masks("train_extra") == ["gtCoarse/train_extra/ulm/ulm_0_1_gtCoarse_labelIds.png"])
        #expect(try masks("train+train_extra") == masks("train") + masks("train_extra"))
        // Train ids count only where they have been made for both.
        try touch("gtFine/train/ulm/ulm_0_1_gtFine_labelTrainIds.png")
        #expect(try Dataset(root: folder.path).labels[7] == 0)
    }

    @Test func vocAugmented() throws {
        let base = "VOC2012"
        for stem in ["a", "b", "c"] { try touch("\(base)/JPEGImages/\(stem).jpg") }
        try touch("\(base)/SegmentationClass/a.png", "\(base)/SegmentationClassAug/b.png")
        try touch("\(base)/SegmentationClassAug/c.png")
        try folder.write("a\n", to: "\(base)/ImageSets/Segmentation/train.txt")
        let plain = try Dataset(root: folder.path)
        var notes: [String] = []
        let stand = try plain.samples("trainaug") { notes.append($0) }
        #expect(stand.map(\.name) == ["a"] && notes.count == 2 && notes[1].contains("stands in for it"))
        #expect(notes[0].contains("VOC's own 21 names are assumed"))
        // DeepLab's lists name both files on a line.
        let lines = "/JPEGImages/c.jpg /SegmentationClassAug/c.png\n/JPEGImages/a.jpg /SegmentationClassAug/a.png\nb\n"
        try folder.write(lines, to: "\(base)/ImageSets/Segmentation/trainaug.txt")
        let samples = try Dataset(root: folder.path).samples("trainaug")
        #expect(samples.map(\.name) == ["c", "a", "b"])
        let folders = samples.map { ($0.mask ?? "").split(separator: "/").dropLast().last }
        #expect(folders == ["SegmentationClassAug", "SegmentationClass", "SegmentationClassAug"])
    }

    @Test func ade20kHasItsNamesBuiltIn() throws {
        try touch("images/training/ADE_train_1.jpg", "annotations/training/ADE_train_1.png")
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.layout == .ade20k && dataset.splits == [.train])
        #expect(dataset.classes.names.count == 150 && dataset.classes.names[0] == "wall")
        #expect(dataset.classes.palette[2] == Color(6, 230, 230))
        #expect([0, 1, 150, 151, 255].map { dataset.labels[$0] } == [255, 0, 149, nil, 255])
    }

    @Test("Other words for the usual splits", arguments: ["images/S/N", "S/images/N"])
    func otherWordsForSplits(place: String) throws {
        // One stem in both splits, a list that is not obeyed, and a folder of coloured masks beside.
        for (split, names) in [("train", ["0", "1"]), ("valid", ["0"]), ("testing", ["0", "2"])] {
            for name in names {
                let image = place.replacing("S", with: split).replacing("N", with: name) + ".png"
                try touch(image, image.replacing("images", with: "masks"), image.replacing("images", with: "colors"))
            }
        }
        try folder.write("0\n1\n", to: "train.txt")
        try folder.write("0\n", to: "valid.txt")
        let dataset = try dataset()
        #expect(dataset.layout == .folders && dataset.splits == [.train, .val, .test])
        var notes: [String] = []
        #expect(try dataset.samples(.train) { notes.append($0) }.map(\.name) == ["0", "1"])
        let own = place.replacing("S", with: "valid").replacing("N", with: "0") + ".png"
        for name in [.val, "valid"] as [Split] {
            #expect(try dataset.samples(name).map(\.image) == [path(own)], "\(name)")
        }
        #expect(try dataset.samples(.test).count == 2)
        if place.hasPrefix("images") { #expect(notes.contains { $0.contains("train.txt left out") }, "\(notes)") }
        // A mask that is missing is a fault, as under the usual words.
        try FileManager.default.removeItem(atPath: path(own.replacing("images", with: "masks")))
        #expect(failure { _ = try dataset.samples(.val) }?.contains("has no mask") == true)
    }

    @Test("A list of images with their masks goes before names, and is not overruled by them")
    func listedMasks() throws {
        for number in 0..<3 {
            try touch("b/images/\(number).png", "b/masks/\(number).png", "b/masks_v2/\(number).png")
        }
        let lines = (0..<3).map { "b/images/\($0).png b/masks_v2/\($0).png\n" }.joined()
        try folder.write(lines, to: "train.txt")
        let dataset = try dataset()
        #expect(dataset.layout == .list)
        #expect(try dataset.samples(.train).map(\.mask) == (0..<3).map { path("b/masks_v2/\($0).png") })
        // A list of names is none.
        try folder.write("0\n1\n2\n", to: "train.txt")
        #expect(try self.dataset().layout == .pairs)
        for number in 0..<3 { try touch("images/\(number).png", "masks/\(number).png", "other/\(number).png") }
        try folder.write("images/0.png other/0.png\nimages/1.png masks/1.png\n", to: "train.txt")
        let error = failure { _ = try self.dataset().samples(.train) }
        #expect(
            error?.contains("train.txt:1: names the mask other/0.png, which is not the one") == true, "\(error ?? "")")
    }

    @Test("Two folders that may be one split keep their names")
    func twoWordsForOneSplit() throws {
        for split in ["train", "test", "testing"] {
            try touch("images/\(split)/\(split).png", "masks/\(split)/\(split).png")
        }
        let dataset = try dataset()
        #expect(dataset.layout == .folders && dataset.splits == [.train, .test, "testing"])
        #expect(try dataset.samples("testing").map(\.name) == ["testing"])
        #expect(try dataset.samples(.test).map(\.name) == ["test"])
        // A word that says less is no other one's.
        try touch("images/dev/d.png", "masks/dev/d.png", "images/val/v.png", "masks/val/v.png")
        #expect(try self.dataset().splits == [.train, .val, .test, "dev", "testing"])
    }

    @Test("ADE20K's folders with files of others have labels of their own, unless its list of objects is there")
    func ade20kFoldersOfOthers() throws {
        try touch("images/training/000201.jpg", "annotations/training/000201.png")
        try touch("images/test/000202.jpg", "annotations/test/000202.png")
        try folder.write("steel\nscratch\n", to: "classes.txt")
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.layout == .folders && dataset.splits == [.train, .test])
        var notes: [String] = []
        #expect(try dataset.samples(.train) { notes.append($0) }.map(\.name) == ["000201"])
        #expect(notes.contains { $0.contains("set data.format=ade20k where 0 means no class") }, "\(notes)")
        #expect([0, 1, 2].map { dataset.labels[$0] } == [0, 1, nil])
        try folder.write("Idx\tRatio\tTrain\tVal\tStuff\tName\n", to: "objectInfo150.txt")
        #expect(try detectLayout(folder.path) == .ade20k)
    }

    @Test func labelMaps() throws {
        let map = LabelMap(classes: 3, ignoring: [7], mapping: [9: 1, 2: 255])
        #expect([0, 1, 2, 3, 7, 9, 255].map { map[$0] } == [0, 1, 255, nil, 255, 1, 255])
        let mask = Mask(width: 2, height: 2, labels: [9, 7, 0, 255])
        #expect(try map.apply(to: mask, file: "m").labels == [1, 255, 0, 255])
        let message = failure { _ = try map.apply(to: Mask(width: 2, height: 1, labels: [0, 3]), file: "m.png") }
        #expect(message?.hasPrefix("m.png: has the label 3 at column 1, row 0, but there are 3 classes") == true)
    }
}
