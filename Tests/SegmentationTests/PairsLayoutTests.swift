import Datasets
import Foundation
import Images
import TestSupport
import Testing

/// Folders as people and published data sets have them, in which images and masks are found by their names.
@Suite struct PairsLayoutTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Writes an image whose red value tells its number, and a mask of that label.
    private func write(_ number: Int, _ image: String, _ mask: String?) throws {
        let pixels = [UInt8](repeating: UInt8(number), count: 8 * 6 * 3)
        try writePNG(Image(width: 8, height: 6, pixels: pixels), to: folder.place(image))
        guard let mask else { return }
        let labels = [UInt8](repeating: UInt8(number), count: 8 * 6)
        try writePNG(Mask(width: 8, height: 6, labels: labels), palette: [], to: folder.place(mask))
    }

    /// How many pairs each split has, all of which must belong together.
    private func pairs() throws -> [String: Int] {
        let dataset = try Dataset(root: folder.path, layout: detectLayout(folder.path), classes: ClassTable(count: 50))
        #expect(dataset.layout == .pairs)
        return try dataset.splits.reduce(into: [:]) { counts, split in
            let samples = try dataset.samples(split)
            counts[split.rawValue] = samples.count
            for sample in samples {
                let read = try dataset.reader().read(sample)
                #expect(read.image.pixels[0] == read.mask.labels[0], "\(sample.image), \(sample.mask ?? "none")")
            }
            #expect(Set(samples.map(\.name)).count == samples.count)
        }
    }

    /// Split, number within it and the number of all; IMAGE and MASK hold `S` for the split and `N` for the number.
    @Test(arguments: [
        ("images/cellN.png", "masks/cellN_mask.png"), ("Image/N.png", "Mask/N.png"), ("N.png", "N_mask.png"),
        ("image/img_N.png", "mask/mask_N.png"), ("pictures/imgN.png", "GT/maskN.png"),
        ("a b/Data set/Original/N.png", "a b/Data set/Ground Truth/N.png"),
        ("JPEGImages/N.png", "SegmentationClassPNG/N.png"),
        ("images/N.png", "annotations/trimaps/N.png"), ("imgs/frameN_rgb.png", "lbl/frameN_gt.png"),
        ("2_Ortho_RGB/top_2_N_RGB.png", "5_Labels_all/top_2_N_label.png"),
        ("image/face_mask_N.png", "labels/face_mask_N.png"),
        ("raw/N.png", "groundtruth/GTN.png"), ("N/image.png", "N/mask.png"),
        ("benign/benign (N).png", "benign/benign (N)_mask.png"),
    ]) func withoutSplits(image: String, mask: String) throws {
        for number in 0..<6 {
            try write(
                number, image.replacing("N", with: "\(number)"), mask.replacing("N", with: "\(number)"))
        }
        #expect(try pairs() == ["train": 6])
    }

    @Test(arguments: [
        ("S/N.png", "S_labels/N.png"), ("S/image/N.png", "S/label/N.png"), ("S/N_sat.png", "S/N_mask.png"),
        ("images/S/N.png", "labels/S/N_label.png"), ("S_images/N.png", "S_masks/N.png"), ("S/N.png", "Sannot/N.png"),
        ("S/images/N_S.png", "S/1st_manual/N_manual1.png"), ("images/S/N.png", "masks/S_N.png"),
    ]) func withSplits(image: String, mask: String) throws {
        for (split, first, count) in [("train", 0, 4), ("val", 4, 2), ("test", 6, 3)] {
            // The names of one split are those of another, unless the masks lie in one folder.
            let isShared = mask == "masks/S_N.png"
            for number in 0..<count {
                let names = [image, mask].map {
                    $0.replacing("S", with: split).replacing("N", with: "\(isShared ? first + number : number)")
                }
                try write(first + number, names[0], isShared ? "masks/\(first + number).png" : names[1])
            }
        }
        #expect(try pairs() == ["train": 4, "val": 2, "test": 3])
    }

    /// Of a JPEG and a PNG of one name in one folder the PNG is the mask.
    @Test func partedByFormat() throws {
        for number in 0..<4 {
            let pixels = [UInt8](repeating: UInt8(number), count: 16 * 16 * 3)
            let image = Image(width: 16, height: 16, pixels: pixels)
            try folder.write([UInt8](jpegData(image)), to: "base/b\(number).jpg")
            let labels = [UInt8](repeating: UInt8(number), count: 256)
            try writePNG(
                Mask(width: 16, height: 16, labels: labels), palette: [], to: folder.place("base/b\(number).png"))
        }
        #expect(try pairs() == ["train": 4])
    }

    /// A folder for each image, with a mask for each object (Data Science Bowl 2018).
    @Test func masksOfObjects() throws {
        for number in 0..<3 {
            let name = "stage1_train/a\(number)"
            try writePNG(ramp(width: 4, height: 1), to: folder.place("\(name)/images/a\(number).png"))
            for (object, labels) in [[255, 0, 0, 0], [0, 0, 255, 0], [0, 0, 0, number == 1 ? 255 : 0]].enumerated() {
                let mask = Mask(width: 4, height: 1, labels: labels.map { UInt8($0) })
                try writePNG(mask, palette: [], to: folder.place("\(name)/masks/\(object)f\(number).png"))
            }
        }
        var options = DatasetOptions()
        options.masks = .binary
        let dataset = try Dataset(root: folder.path, options: options)
        #expect(dataset.layout == .pairs && dataset.splits == [.train])
        var notes: [String] = []
        let samples = try dataset.samples(.train) { notes.append($0) }
        #expect(samples.map(\.maskFiles.count) == [3, 3, 3])
        #expect(try samples.map { try dataset.reader().read($0).mask.labels }[0] == [1, 0, 1, 0])
        #expect(try samples.map { try dataset.reader().read($0).mask.labels }[1] == [1, 0, 1, 1])
        #expect(notes.contains { $0.contains("with others beside it, one for each object") }, "\(notes)")
        // One of another size is named.
        let wide = Mask(width: 5, height: 1, labels: [0, 0, 0, 0, 255])
        try writePNG(wide, palette: [], to: folder.place("stage1_train/a0/masks/x.png"))
        // What was there when it was opened is what it holds.
        #expect(try dataset.samples(.train) == samples)
        let again = try Dataset(root: folder.path, options: options)
        let message = failure { _ = try again.samples(.train).map { try again.reader().read($0) } }
        #expect(message?.contains("a0/masks/x.png: is 5x1 pixels, where") == true, "\(message ?? "none")")
    }

    @Test func nnUNet() throws {
        for number in 0..<5 {
            try write(number, "imagesTr/case_\(number)_0000.png", "labelsTr/case_\(number).png")
        }
        for number in 5..<8 { try write(number, "imagesTs/case_\(number)_0000.png", nil) }
        #expect(try pairs() == ["train": 5])
        let dataset = try Dataset(root: folder.path, classes: ClassTable(count: 50))
        var notes: [String] = []
        _ = try dataset.samples(.train) { notes.append($0) }
        #expect(notes.contains { $0.contains("left out: images without a mask (3), as imagesTs/case_5_0000.png") })
        #expect(notes.contains { $0.contains("as imagesTr/case_0_0000.png and labelsTr/case_0.png") }, "\(notes)")
        #expect(failure { _ = try dataset.samples(.test) }?.contains("splits found: train") == true)
    }

    @Test func whatIsLeftOutIsTold() throws {
        for number in 0..<4 { try write(number, "data/images/\(number).png", "data/masks/\(number)_mask.png") }
        try write(4, "data/images/4.png", nil)
        try write(5, "data/depth/5.png", nil)
        try write(6, "data/masks/6_mask.png", nil)
        try write(3, "data/masks/3_mask_1.png", nil)
        #expect(try pairs() == ["train": 4])
        var notes: [String] = []
        _ = try Dataset(root: folder.path, classes: ClassTable(count: 50)).samples(.train) { notes.append($0) }
        #expect(
            notes.contains { $0.hasSuffix("left out: images without a mask (1), as data/images/4.png") }, "\(notes)")
        #expect(
            notes.contains { $0.hasSuffix("left out: masks without an image (2), as data/masks/3_mask_1.png") },
            "\(notes)"
        )
        #expect(
            notes.contains { $0.hasSuffix("left out: pictures that are neither (1), as data/depth/5.png") }, "\(notes)")
    }

    @Test func severalFoldersOfMasksAreAsked() throws {
        for number in 0..<4 {
            try write(number, "image/\(number).png", "semantic/\(number).png")
            try write(number, "image/\(number).png", "gt/\(number).png")
        }
        let message = failure { _ = try Dataset(root: folder.path, classes: ClassTable(count: 50)).samples(.train) }
        #expect(
            message?.contains("image/0.png: may have its mask in any of gt/0.png, semantic/0.png") == true,
            "\(message ?? "")")
    }

    /// DRIVE has masks of the eye's outline beside those of its vessels.
    @Test func aFolderOfOtherWordsIsAskedFor() throws {
        for (split, numbers) in [("training", 0..<3), ("test", 3..<6)] {
            for number in numbers {
                try write(number, "\(split)/images/\(number)_\(split).png", "\(split)/1st_manual/\(number)_manual1.png")
                try write(number, "\(split)/images/\(number)_\(split).png", "\(split)/mask/\(number)_\(split)_mask.png")
            }
        }
        let dataset = try Dataset(root: folder.path, classes: ClassTable(count: 50))
        for split in [Split.train, .test] {
            let message = failure { _ = try dataset.samples(split) }
            #expect(
                message?.contains("/1st_manual/") == true && message?.contains("and 2 more") == true, "\(message ?? "")"
            )
        }
    }

    /// Files that have nothing to do with each other but a number, each an image or a mask of its own number.
    @Test(arguments: [
        [("Images/seqA/0", 0, 4), ("Masks/seqB/0", 0, 4)], [("images/pat1_", 0, 4), ("masks/pat2_", 0, 4)],
        [("Images/left_", 0, 4), ("Masks/right_", 0, 4)], [("Images/", 1, 4), ("Masks/5_", 1, 4)],
        [("Images/val/", 0, 4), ("Masks/train/", 0, 4)],
        [("Images/", 0, 8), ("Masks/liver/", 0, 4), ("Masks/tumor/", 4, 8)],
        [("images/", 0, 4), ("masks/2_", 0, 3)],
    ]) func othersAreNotPaired(folders: [(String, Int, Int)]) throws {
        for (place, first, end) in folders {
            for number in first..<end { try write(number, "\(place)\(number).png", nil) }
        }
        let layout = try? detectLayout(folder.path)
        #expect(layout != .pairs)
    }

    /// Right pairs beside others of the same numbers: images and masks, then what must be left out.
    @Test(arguments: [
        ("Images/", "GT/", "Results/pred_masks/"), ("train/image/", "train/label/", "output/seg/"),
        ("Images/patA/", "Masks/patA/", "Masks/patC/"),
    ]) func predictionsAreNoMasks(images: String, masks: String, others: String) throws {
        for number in 0..<4 { try write(number, "\(images)\(number).png", "\(masks)\(number).png") }
        for number in 4..<6 {
            try write(number, "\(images.replacing("train", with: "test"))\(number).png", "\(others)\(number).png")
        }
        #expect(try pairs() == ["train": 4])
    }

    @Test(arguments: [
        ["{}.png", "{}_mask.png", "{}_gt.png"], ["images/{}.png", "mask_fov/{}.png", "manual1/{}_manual1.png"],
        ["Bilder/DSC_{}.png", "preview/{}.png", "mask/{}.png"], ["color/c{}.png", "depth/{}.png", "labels/{}.png"],
        ["image/{}.png", "semantic/{}.png", "gt/{}.png", "labels/{}.png"],
    ]) func whatIsNotSureIsAsked(names: [String]) throws {
        for number in 0..<4 { for name in names { try write(number, name.replacing("{}", with: "\(number)"), nil) } }
        let message = failure { _ = try Dataset(root: folder.path, classes: ClassTable(count: 50)).samples(.train) }
        #expect(message?.contains("may ") == true, "\(message ?? "none")")
    }

    @Test func theVeryNameGoesFirst() throws {
        for number in 0..<4 {
            try write(number, "Image/x\(number).png", "Mask/x\(number).png")
            try write(9, "Image/x\(number).png", "Mask/rgb_x\(number).png")
            try write(number, "Image/x\(number).png", nil)
        }
        #expect(try pairs() == ["train": 4])
    }

    /// Masks of classes or of raters, and those of other frames, are no objects.
    @Test(arguments: [
        ["case{}/image.png", "case{}/mask_liver.png", "case{}/mask_tumor.png"],
        ["case{}/img.png", "case{}/seg_expert_a.png", "case{}/seg_expert_b.png"],
        ["clip{}/rgb/0000.png", "clip{}/masks/0005.png", "clip{}/masks/0010.png"],
    ]) func masksOfClassesAreNoObjects(names: [String]) throws {
        for number in 0..<4 { for name in names { try write(number, name.replacing("{}", with: "\(number)"), nil) } }
        let layout = try? detectLayout(folder.path)
        #expect(layout != .pairs)
    }

    @Test(arguments: ["Images/S_N.png", "S2017/N.png", "Scrop/N.png", "DUTS-S/Image/N.png"])
    func splitsInOtherPlaces(image: String) throws {
        for (split, numbers) in [("train", 0..<4), ("val", 4..<6), ("test", 6..<9)] {
            for number in numbers {
                let name = image.replacing("S_", with: "\(split)_").replacing("S2", with: "\(split)2")
                    .replacing("Sc", with: "\(split)c").replacing("-S", with: "-\(split.prefix(2))")
                    .replacing("N", with: "\(number)")
                let mask =
                    image.hasPrefix("DUTS")
                    ? name.replacing("Image", with: "Mask") : name.replacing(".", with: "_mask.")
                try write(number, name, image.hasPrefix("Images") ? "Masks/\(split)_\(number).png" : mask)
            }
        }
        let found = try pairs()
        // `va` is no word for a split.
        let isDUTS = image.hasPrefix("DUTS")
        #expect(
            found["test"] == 3 && found["train"] == (isDUTS ? 6 : 4) && found["val"] == (isDUTS ? nil : 2), "\(found)")
    }

    @Test func listsOfNamesAreObeyed() throws {
        for number in 0..<6 { try write(number, "images/\(number).png", "masks/\(number)_mask.png") }
        try folder.write("0\n1.png\nimages/2.png\n", to: "train.txt")
        try folder.write("3\n", to: "val.txt")
        try folder.write("4 1 1\n", to: "test.txt")
        #expect(try pairs() == ["train": 3, "val": 1, "test": 1])
        var notes: [String] = []
        _ = try Dataset(root: folder.path, classes: ClassTable(count: 50)).samples(.train) { notes.append($0) }
        #expect(notes.contains { $0.hasSuffix("left out: images that no list names (1)") }, "\(notes)")
        // They have masks all the same.
        #expect(!notes.contains { $0.contains("images without a mask") }, "\(notes)")
    }

    /// `images` and `masks` one folder down, or under words for the usual splits that say less than others.
    @Test(arguments: [["Kvasir-SEG"], ["tr", "dev"]]) func foldersOneDown(names: [String]) throws {
        for (place, name) in names.enumerated() {
            for number in 4 * place..<4 * place + 4 {
                try write(number, "\(name)/images/\(number).png", "\(name)/masks/\(number).png")
            }
        }
        #expect(try pairs() == (names.count == 1 ? ["train": 4] : ["train": 4, "val": 4]))
        let dataset = try Dataset(root: folder.path, classes: ClassTable(count: 50))
        if names.count > 1 { #expect(try dataset.samples("tr").count == 4) }
    }

    /// What all lies in says nothing: neither a folder's name nor one that sounds like masks.
    @Test func foldersAroundAllAreNotRead() throws {
        for number in 0..<4 {
            let name = "my_segmentation with GT/benign/benign (\(number))"
            try write(number, "\(name).png", "\(name)_mask.png")
        }
        #expect(try pairs() == ["train": 4])
    }

    @Test func whatHoldsNoPairsIsNoDataSet() throws {
        for number in 0..<4 { try write(number, "a/\(number).png", nil) }
        let message = failure { _ = try detectLayout(folder.path) }
        #expect(message?.contains("is no data set of a known layout") == true)
        // A known layout one folder below is named.
        try folder.write("x.png y.png\n", to: "inner/train.txt")
        #expect(failure { _ = try detectLayout(folder.path) }?.contains("; name \(folder.path)/inner, if") == true)
    }
}
