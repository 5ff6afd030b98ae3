import Datasets
import Foundation
import Images
import TestSupport
import Testing

/// Data sets as annotation tools export them: CVAT, Roboflow, labelme.
@Suite struct ToolLayoutTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private let black = Color(0, 0, 0)
    private let red = Color(128, 0, 0)

    private func picture(_ name: String) throws { try writePNG(ramp(width: 8, height: 6), to: folder.place(name)) }

    /// A colour PNG, half of it black, a quarter red.
    private func colorMask(_ name: String, other: Color = Color(0, 0, 0)) throws {
        var image = Image(width: 4, height: 1, color: black)
        image[1, 0] = red
        image[2, 0] = other
        try writePNG(image, to: folder.place(name))
    }

    private func counts(_ dataset: Dataset, _ split: Split = .train) throws -> [[UInt8: Int]] {
        try dataset.samples(split).map { sample in
            try dataset.reader().readMask(sample).labels.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
    }

    private func voc() throws {
        for (stem, split) in [("a", "train"), ("b", "val")] {
            try writePNG(ramp(width: 4, height: 1), to: folder.place("JPEGImages/\(stem).png"))
            try colorMask("SegmentationClass/\(stem).png")
            try folder.write("\(stem)\n", to: "ImageSets/Segmentation/\(split).txt")
        }
    }

    @Test func labelMapsOfCVAT() throws {
        try voc()
        let assumed = try Dataset(root: folder.path)
        #expect(assumed.classes.count == 21)
        #expect(assumed.notes.contains { $0.contains("VOC's own 21 names are assumed") })
        try folder.write(
            "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncrack: 128,0,0::\r\nrust:::\n", to: "labelmap.txt")
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.layout == .voc && dataset.classes.names == ["background", "crack", "rust"])
        #expect(dataset.classes.palette.prefix(2) == [black, red])
        #expect(!dataset.notes.contains { $0.contains("assumed") } && dataset.classOrigin == "labelmap.txt")
        #expect(try counts(dataset) == [[0: 3, 1: 1]] && counts(dataset, .val) == [[0: 3, 1: 1]])
        // VOC's boundary is ignored; another colour is an error.
        try colorMask("SegmentationClass/a.png", other: Color(224, 224, 192))
        #expect(try counts(Dataset(root: folder.path)) == [[0: 2, 1: 1, 255: 1]])
        try colorMask("SegmentationClass/a.png", other: Color(1, 2, 3))
        #expect(failure { _ = try counts(Dataset(root: folder.path)) }?.contains("has the colour #010203") == true)
        try folder.write("background\nx\n", to: "classes.txt")
        #expect(try Dataset(root: folder.path).classes.names == ["background", "x"])
    }

    @Test(arguments: [
        ("background 0 0 0\n", "labelmap.txt:1: is no `label:color_rgb:parts:actions`"),
        ("a:0,0,0::\nb:0,0,0::\n", ":2: has the colour #000000 of the class a"),
        ("a:0,0::\n", ":1: has the colour `0,0`"), ("a:::\na:::\n", ":2: names the class `a` a second time"),
        ("# x\n", "labelmap.txt: names no class"), ("a:0,0,300::\n", ":1: has the colour `0,0,300`"),
    ])
    func faultsOfLabelMaps(text: String, problem: String) throws {
        try voc()
        try folder.write(text, to: "labelmap.txt")
        let message = failure { _ = try Dataset(root: folder.path) }
        #expect(message?.contains(problem) == true, "\(message ?? "no error")")
    }

    /// Palettes beside VOC's assumed names: other colours are an error, greys and VOC's own are not.
    @Test func palettesThatContradictAssumedNames() throws {
        try voc()
        func write(_ palette: [UInt8]) throws {
            let png = PNGBuilder(width: 4, height: 1, type: 3, depth: 8, palette: palette, samples: [0, 1, 0, 1])
            for stem in ["a", "b"] { try folder.write(png.bytes(), to: "SegmentationClass/\(stem).png") }
        }
        try write([0, 0, 0, 10, 200, 30])
        let message = failure { _ = try Dataset(root: folder.path) }
        #expect(message?.contains("a.png: has the colour #0ac81e at index 1 of its palette") == true)
        #expect(message?.contains("have #800000 for aeroplane: name the classes in classes.txt") == true)
        for fine: [UInt8] in [[0, 0, 0, 1, 1, 1], [0, 0, 0, 128, 0, 0, 77, 66, 55]] {
            try write(fine)
            #expect(try counts(Dataset(root: folder.path)) == [[0: 2, 1: 2]])
        }
        // VOC's colours at other indices: the colours count.
        try write([128, 0, 0, 0, 0, 0])
        let turned = try Dataset(root: folder.path)
        #expect(turned.notes.last?.contains("(data.masks: colors)") == true)
        #expect(try turned.reader().readMask(turned.samples(.train)[0]).labels == [1, 0, 1, 0])
    }

    @Test func theListOfAllImagesIsNamed() throws {
        try voc()
        for split in ["train", "val"] {
            try FileManager.default.removeItem(atPath: folder.place("ImageSets/Segmentation/\(split).txt"))
        }
        try folder.write("a\n", to: "ImageSets/Segmentation/default.txt")
        let message = failure { _ = try Dataset(root: folder.path).samples(.train) }
        #expect(
            message?.hasSuffix("(lists found: default): to train on default.txt set data.splits.train=default") == true)
    }

    @Test func masksWithoutImagesSaySo() throws {
        try folder.write("x", to: "SegmentationClass/a.png")
        #expect(failure { _ = try detectLayout(folder.path) }?.contains("but no JPEGImages") == true)
    }

    /// What is decided from one palette holds for all masks, in whichever split it lies.
    @Test func onePaletteDecidesForTheSet() throws {
        try folder.write("background 0 0 0\nthing 255 0 0\n", to: "classes.txt")
        func write(_ split: String, _ palette: [UInt8], _ samples: [Int]) throws {
            try writePNG(ramp(width: 4, height: 1), to: folder.place("images/\(split)/a.png"))
            let png = PNGBuilder(width: 4, height: 1, type: 3, depth: 8, palette: palette, samples: samples)
            try folder.write(png.bytes(), to: "masks/\(split)/a.png")
        }
        try write("train", [0, 0, 0, 255, 0, 0], [0, 0, 0, 1])
        try write("val", [255, 0, 0, 0, 0, 0], [1, 1, 1, 0])
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.notes.filter { $0.contains("data.masks: colors") }.count == 1)
        #expect(try counts(dataset) == [[0: 3, 1: 1]] && counts(dataset, .val) == [[0: 3, 1: 1]])
        // A palette padded with the background's colour contradicts nothing: those indices are not used.
        try write("val", [0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0], [1, 1, 1, 0])
        let padded = try Dataset(root: folder.path)
        #expect(padded.notes.isEmpty)
        #expect(try counts(padded, .val) == [[0: 1, 1: 3]])
        // Nor does VOC's whole palette, which is in the order of the indices.
        try folder.write("a 0 0 0\nb 0 128 0\nc 128 0 0\n", to: "classes.txt")
        try write("val", Palette.voc.flatMap { [$0.red, $0.green, $0.blue] }, [0, 1, 1, 2])
        #expect(try counts(Dataset(root: folder.path), .val) == [[0: 1, 1: 2, 2: 1]])
        try folder.write("background 0 0 0\nthing 255 0 0\n", to: "classes.txt")
        try write("val", [255, 0, 0, 0, 0, 0, 9, 8, 7], [1, 2, 1, 0])
        #expect(
            failure { _ = try Dataset(root: folder.path) }?
                .contains("and the colour #090807 at index 2, which is no class's in classes.txt") == true)
    }

    @Test func palettesOfOtherFormats() throws {
        func number(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(value >> (8 * $0) & 255) } }
        // Four pixels of eight bits, a palette of red and black as blue, green, red, 0.
        let head = Array("BM".utf8) + number(66, 4) + number(0, 4) + number(62, 4)
        let information = number(40, 4) + number(4, 4) + number(1, 4) + number(1, 2) + number(8, 2) + number(0, 16)
        let colors: [UInt8] = number(2, 4) + number(2, 4) + [0, 0, 255, 0, 0, 0, 0, 0]
        let bmp = head + information + colors + [1, 1, 0, 1]
        try writePNG(ramp(width: 4, height: 1), to: folder.place("pictures/a.png"))
        try folder.write(bmp, to: "labels/a.bmp")
        try folder.write("pictures/a.png labels/a.bmp\n", to: "train.txt")
        try folder.write("background 0 0 0\nthing 255 0 0\n", to: "classes.txt")
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.notes.contains { $0.contains("(data.masks: colors)") })
        #expect(try dataset.reader().readMask(dataset.samples(.train)[0]).labels == [0, 0, 1, 0])
    }

    @Test func maskExportsOfRoboflow() throws {
        for (split, name) in [("train", "a_png.rf.12"), ("train", "b"), ("valid", "c")] {
            try writePNG(ramp(width: 4, height: 1), to: folder.place("\(split)/\(name).png"))
            let mask = Mask(width: 4, height: 1, labels: [0, 1, 2, 2])
            try writePNG(mask, palette: [], to: folder.place("\(split)/\(name)_mask.png"))
            try folder.write(
                "Pixel Value, Class\n0, background\n1, crack\n2, deep crack\n", to: "\(split)/_classes.csv")
        }
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.layout == .roboflow && dataset.splits == [.train, .val])
        #expect(dataset.classes.names == ["background", "crack", "deep crack"])
        #expect(try dataset.samples(.train).map(\.name) == ["a_png.rf.12", "b"])
        #expect(try counts(dataset, .val) == [[0: 1, 1: 1, 2: 2]])
        #expect(try dataset.samples("valid").count == 1)
        #expect(failure { _ = try dataset.samples(.test) }?.contains("(splits found: train, val)") == true)
        var notes: [String] = []
        try folder.write("?", to: "train/d.heic")
        _ = try dataset.samples(.train) { notes.append($0) }
        #expect(notes.count == 1 && notes[0].contains("/train: 1 file of .heic left out"))
        try folder.write("?", to: "train/b_mask.bmp")
        #expect(failure { _ = try dataset.samples(.train) }?.contains("b_mask.png: has the same stem as") == true)
        try FileManager.default.removeItem(atPath: folder.place("train/b_mask.bmp"))
        try FileManager.default.removeItem(atPath: folder.place("train/b_mask.png"))
        #expect(failure { _ = try dataset.samples(.train) }?.contains("b.png: has no mask: expected") == true)
        try folder.write("Pixel Value, Class\n0, background\n1, rust\n", to: "valid/_classes.csv")
        #expect(
            failure { _ = try Dataset(root: folder.path) }?
                .contains("they must be the same in all splits") == true)
    }

    @Test func outlinesOfLabelMe() throws {
        for name in ["train/a", "train/b", "valid/c"] { try picture("\(name).png") }
        func shape(_ label: String, _ kind: String?, _ points: String) -> String {
            "{\"label\": \"\(label)\", \"points\": \(points), \"group_id\": null, \"flags\": {}"
                + (kind.map { ", \"shape_type\": \"\($0)\"}" } ?? "}")
        }
        func write(_ name: String, _ shapes: [String], size: String = "\"imageHeight\": 6, \"imageWidth\": 8") throws {
            try folder.write(
                "{\"version\": \"5.2\", \"flags\": {}, \"shapes\": [\(shapes.joined(separator: ","))], \"imagePath\":"
                    + " \"\((name as NSString).lastPathComponent).png\", \"imageData\": \"aGVsbG8\", \(size)}",
                to: "\(name).json")
        }
        try write(
            "train/a",
            [
                // The larger shape lies over the smaller one that was drawn before it.
                shape("nut", "rectangle", "[[1, 1], [2, 2]]"), shape("bolt", "rectangle", "[[4, 3], [0, 0]]"),
                shape("__ignore__", "polygon", "[[0, 4], [8, 4], [8, 5], [0, 5]]"),
                shape("_background_", nil, "[[0, 4], [1, 4], [1, 5], [0, 5]]"),
                shape("bolt", "line", "[[0, 0], [1, 1]]"),
            ])
        // Of the pixels' centres the four at a distance of 0.71 lie within the circle, the next ones, at 1.58, do not.
        try write("train/b", [shape("nut", "circle", "[[4, 3], [4, 4.5]]")])
        try write("valid/c", [])
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.layout == .labelme && dataset.splits == [.train, .val])
        #expect(dataset.classes.names == ["background", "bolt", "nut"])
        #expect(try counts(dataset) == [[0: 48 - 12 - 7, 1: 12, 255: 7], [0: 48 - 4, 2: 4]])
        #expect(try counts(dataset, .val) == [[0: 48]])
        let notes = try dataset.pairing(.train).notes
        #expect(notes.contains { $0.contains("1 shapes are lines or points, which have no area: they are left out") })
        // labelme's own list of labels wins; what it lacks is told.
        try folder.write("__ignore__\n_background_\nNut\n", to: "labels.txt")
        let listed = try Dataset(root: folder.path)
        #expect(listed.classes.names == ["background", "Nut"])
        #expect(
            try listed.pairing(.train).notes.contains { $0.contains("1 category is no class") && $0.contains("bolt") })
        #expect(try counts(listed)[1] == [0: 44, 1: 4])
        try write("train/b", [], size: "\"imageHeight\": 12, \"imageWidth\": 16")
        #expect(failure { _ = try counts(listed) }?.contains("was drawn on an image of 16x12 pixels") == true)
        try write("train/b", [shape("nut", "mask", "[[0, 0], [4, 4]]")])
        #expect(failure { _ = try listed.samples(.train) }?.contains("shapes[0]: a shape `mask` of 2 points") == true)
        try FileManager.default.removeItem(atPath: folder.place("train/b.json"))
        #expect(failure { _ = try listed.samples(.train) }?.contains("b.png: has no b.json") == true)
    }

    /// Links to folders are followed, folders that a system keeps for itself are passed over.
    @Test func whatIsNoAnnotationIsNamed() throws {
        try writePNG(ramp(width: 8, height: 6), to: folder.place("train/a.png"))
        try writePNG(ramp(width: 8, height: 6), to: folder.place("train/b.png"))
        let shape = "{\"label\": \"cat\", \"points\": [[1, 1], [5, 1], [5, 4]]}"
        try folder.write("{\"shapes\": [\(shape)], \"imagePath\": \"a.png\"}", to: "train/a.json")
        try folder.write("{}", to: "train/b.json")
        let faults = try Dataset(root: folder.path, layout: .labelme).pairing("train").unlabelled.map { "\($0)" }
        #expect(faults == ["\(folder.path)/train/b.json: has no `shapes`: it is no file of labelme"])
        try folder.write("{\"shapes\": [{\"label\": null, \"points\": []}]}", to: "train/b.json")
        let message = failure { _ = try Dataset(root: folder.path, layout: .labelme).samples(.train) }
        #expect(message?.contains("a shape has a `label`, and it is missing") == true, "\(message ?? "no error")")
    }

    @Test func foldersOfLabelMe() throws {
        let other = try TemporaryFolder()
        func write(_ file: String, _ label: String, _ points: String = "[[0, 0], [4, 0], [4, 3], [0, 3]]") throws {
            try folder.write(
                "{\"shapes\": [{\"label\": \"\(label)\", \"points\": \(points)}], \"imagePath\": \"a.png\"}", to: file)
        }
        try picture("train/a.png")
        try write("train/a.json", "nut")
        try picture("aside/a.png")
        try write("aside/a.json", "Nut")
        try FileManager.default.moveItem(atPath: folder.place("aside"), toPath: other.file("more"))
        try FileManager.default.createSymbolicLink(
            atPath: folder.place("train/more"), withDestinationPath: other.file("more"))
        try write("train/@eaDir/a.json", "junk")
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.classes.names == ["background", "Nut", "nut"])
        #expect(dataset.notes.contains { $0.hasSuffix("the classes `Nut` and `nut` differ by their case alone") })
        #expect(try counts(dataset) == [[0: 36, 2: 12], [0: 36, 1: 12]])
        try write("train/a.json", "nut", "[[9, 1], [12, 1], [12, 3]]")
        #expect(
            failure { _ = try counts(Dataset(root: folder.path)) }?
                .contains("a.json: shapes[0] (`nut`) lies wholly outside of its image") == true)
    }

    @Test func labelMeWithoutSplitsAndWithFoldersOfItsOwn() throws {
        try picture("images/a.png")
        try folder.write(
            "{\"shapes\": [{\"label\": 7, \"points\": [[0, 0], [4, 0], [4, 3], [0, 3]]}],"
                + " \"imagePath\": \"..\\\\images\\\\a.png\", \"imageData\": null}", to: "labels/a.json")
        let dataset = try Dataset(root: folder.path)
        #expect(
            dataset.layout == .labelme && dataset.splits == [.train] && dataset.classes.names == ["background", "7"])
        #expect(try dataset.samples(.train).map(\.image) == ["\(folder.path)/images/a.png"])
        #expect(try counts(dataset) == [[0: 36, 1: 12]])
        try FileManager.default.removeItem(atPath: folder.place("images/a.png"))
        let message = failure { _ = try dataset.samples(.train) }
        #expect(message?.contains("has no image (..\\images\\a.png) beside it or in the data set's folder") == true)
    }
}
