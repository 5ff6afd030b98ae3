import Datasets
import Foundation
import Images
import TestSupport
import Testing

/// Instances files as tools write them: own categories, sizes, loose values, files in other places.
@Suite struct COCOToolsTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private let square = "[[0, 0, 4, 0, 4, 3, 0, 3]]"

    private func picture(_ name: String, mark: UInt8 = 0) throws {
        try writePNG(ramp(width: 8, height: 6, mark: mark), to: folder.place(name))
    }

    /// An instances file with images numbered from 1 and one annotation for each text.
    private func instances(
        _ images: [String], _ annotations: [String], categories: String = "{\"id\": 1, \"name\": \"car\"}",
        size: String = ""
    ) -> String {
        let list = images.enumerated().map { "{\"id\": \($0 + 1), \"file_name\": \"\($1)\"\(size)}" }
        return """
            {"images": [\(list.joined(separator: ","))], "annotations": [\(annotations.joined(separator: ","))],
             "categories": [\(categories)]}
            """
    }

    private func object(_ image: Int = 1, category: Int = 1, _ outline: String? = nil) -> String {
        "{\"id\": 9, \"image_id\": \(image), \"category_id\": \(category), \"segmentation\": \(outline ?? square)}"
    }

    private func counts(_ dataset: Dataset, _ split: Split = .train) throws -> [[UInt8: Int]] {
        try dataset.samples(split).map { sample in
            try dataset.reader().read(sample).mask.labels.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
    }

    @Test func ownCategoriesAreTheClasses() throws {
        for split in ["train", "val"] { try picture("\(split)/a.png") }
        // By their numbers, not as they stand there; those of the other split behind them.
        try folder.write(
            instances(
                ["a.png"], [object(category: 19), object(category: 7, "[[4, 0, 8, 0, 8, 6, 4, 6]]")],
                categories:
                    "{\"id\": 19, \"name\": \" scratch\"}, {\"id\": 7, \"name\": \"car\", \"supercategory\": \"x\"}"),
            to: "annotations/instances_train.json")
        try folder.write(
            instances(
                ["a.png"], [object(category: 1)],
                categories: "{\"id\": 1, \"name\": \"rust\"}, {\"id\": 2, \"name\": \"car\"}"),
            to: "annotations/instances_val.json")
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.classes.names == ["background", "car", "scratch", "rust"])
        #expect(try counts(dataset) == [[0: 48 - 12 - 24, 1: 24, 2: 12]])
        #expect(try counts(dataset, .val) == [[0: 36, 3: 12]])
        let report = try DatasetCheck(dataset, threads: 1).run()
        #expect(
            report.notes.first
                == "classes: from the categories of annotations/instances_train.json, annotations/instances_val.json")
    }

    @Test func categoriesThatAreNoClassAreNamed() throws {
        try picture("train/a.png")
        let categories =
            "{\"id\": 1, \"name\": \"cat\"}, {\"id\": 2, \"name\": \"dog\"}, {\"id\": 3, \"name\": \"cow\"}"
        try folder.write(
            instances(
                ["a.png"], [object(category: 1), object(category: 2), object(category: 2)], categories: categories),
            to: "annotations/instances_train.json")
        try folder.write("background\nCat\n", to: "classes.txt")
        let dataset = try Dataset(root: folder.path)
        let notes = try dataset.pairing(.train).notes
        #expect(notes.contains { $0.contains("`cat` is read as the class `Cat`") })
        #expect(
            notes.contains {
                $0.hasSuffix("1 category is no class, and what they cover becomes background: dog (2 objects)")
            })
        #expect(try counts(dataset) == [[0: 36, 1: 12]])
        try folder.write("background\nhorse\n", to: "classes.txt")
        let message = failure { _ = try Dataset(root: folder.path).samples(.train) }
        #expect(message?.contains("has none of the classes background, horse (its categories: cat, cow, dog)") == true)
    }

    @Test func categoriesThatOnlyGroupOthersAreNoClasses() throws {
        try picture("train/a.png")
        let group = "{\"id\": 0, \"name\": \"cracks\", \"supercategory\": \"none\"}"
        let crack = "{\"id\": 1, \"name\": \"crack\", \"supercategory\": \"cracks\"}"
        try folder.write(
            instances(["a.png"], [object()], categories: "\(group), \(crack)"), to: "train/_annotations.coco.json")
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.classes.names == ["background", "crack"])
        #expect(dataset.notes.count == 1 && dataset.notes[0].contains("no object is of the category cracks"))
    }

    @Test(arguments: ["\"width\": 16, \"height\": 12", "\"width\": \"6\", \"height\": 8.0"])
    func declaredSizesAreCompared(size: String) throws {
        try picture("train/a.png")
        try folder.write(
            instances(["a.png"], [object()], size: ", \(size)"), to: "annotations/instances_train.json")
        let dataset = try Dataset(root: folder.path)
        let message = failure { _ = try counts(dataset) }
        let drawn = size.contains("16") ? "16x12" : "6x8"
        #expect(message?.contains("was drawn on an image of \(drawn) pixels, but its image") == true)
        #expect(message?.contains("train/a.png is 8x6 as displayed") == true)
        #expect(message?.contains("turned by its EXIF orientation?") == (drawn == "6x8"))
        #expect(try DatasetCheck(dataset, threads: 1).run().problems.count == 1)
        for (one, drawn) in [("\"width\": 16, \"height\": null", "16x?"), ("\"height\": 12", "?x12")] {
            try folder.write(
                instances(["a.png"], [object()], size: ", \(one)"), to: "annotations/instances_train.json")
            let message = failure { _ = try counts(Dataset(root: folder.path)) }
            #expect(message?.contains("was drawn on an image of \(drawn) pixels, but its image") == true)
        }
        // A size that is not told, or is zero, is none.
        for none in ["", ", \"width\": 0, \"height\": 0", ", \"width\": null"] {
            try folder.write(instances(["a.png"], [object()], size: none), to: "annotations/instances_train.json")
            #expect(try counts(Dataset(root: folder.path)) == [[0: 36, 1: 12]])
        }
    }

    @Test func imagesThatShareAnIdOrAFileAreRefused() throws {
        for name in ["a", "b"] { try picture("train/\(name).png") }
        let two = instances(["a.png", "b.png"], [object(), object(2)])
        try folder.write(
            two.replacingOccurrences(of: "\"id\": 2, \"file", with: "\"id\": 1, \"file"),
            to: "annotations/instances_train.json")
        let shared = failure { _ = try Dataset(root: folder.path).samples(.train) }
        #expect(shared?.contains("gives the id 1 to two images, a.png and b.png") == true)
        try folder.write(
            two.replacingOccurrences(of: "b.png", with: "a.png"), to: "annotations/instances_train.json")
        let twice = failure { _ = try Dataset(root: folder.path).samples(.train) }
        #expect(twice?.contains("lists the image a.png a second time, with the ids 1 and 2") == true)
    }

    /// Outlines that can mean no pixel, with the image's size in the file and without.
    @Test(arguments: [
        ("[[8, 1, 12, 1, 12, 4, 8, 4]]", "annotation 9 lies wholly outside of its image"),
        ("[[1, -5, 4, -5, 4, 0, 1, 0]]", "annotation 9 lies wholly outside of its image"),
        ("[[7, 1, 12, 1, 12, 4, 7, 4]]", nil), ("[[0.1, 0.1, 0.5, 0.1, 0.5, 0.5]]", nil),
    ])
    func outlinesOutside(outline: String, problem: String?) throws {
        try picture("train/a.png")
        for size in ["", ", \"width\": 8, \"height\": 6"] {
            try folder.write(
                instances(["a.png"], [object(), object(1, outline)], size: size),
                to: "annotations/instances_train.json")
            let dataset = try Dataset(root: folder.path)
            let found = try DatasetCheck(dataset, threads: 1).run().problems
            #expect(found.count == (problem == nil ? 0 : 1))
            if let problem { #expect(found.first?.problem.contains(problem) == true) }
            #expect((failure { _ = try counts(dataset) } == nil) == (problem == nil))
        }
    }

    /// Coordinates from 0 to 1, in an image that is larger than a few pixels.
    @Test func sharesOfTheSidesAreNoOutlines() throws {
        try writePNG(ramp(width: 12, height: 6), to: folder.place("train/a.png"))
        for size in ["", ", \"width\": 12, \"height\": 6"] {
            try folder.write(
                instances(["a.png"], [object(1, "[[0.1, 0.1, 1, 0.1, 0.5, 0.5]]")], size: size),
                to: "annotations/instances_train.json")
            let message = failure { _ = try counts(Dataset(root: folder.path)) }
            #expect(message?.contains("annotation 9 has coordinates from 0 to 1 alone") == true)
        }
    }

    @Test func namesThatAreAlikeAreTold() throws {
        try picture("train/a.png")
        try folder.write(
            instances(
                ["a.png"], [object(), object(category: 3)],
                categories:
                    "{\"id\": 1, \"name\": \"car\"}, {\"id\": 2, \"name\": \"Car\"}, {\"id\": 3, \"name\": \"car\"}"),
            to: "annotations/instances_train.json")
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.classes.names == ["background", "car", "Car"])
        #expect(dataset.notes.contains { $0.hasSuffix("the classes `Car` and `car` differ by their case alone") })
        let notes = try dataset.pairing(.train).notes
        #expect(notes.contains { $0.contains("the categories with the ids 1, 3 are all called `car`") })
    }

    /// Nothing but background to learn from, whoever named the classes.
    @Test func nothingButBackgroundIsAProblem() throws {
        try picture("train/a.png")
        try folder.write(instances(["a.png"], []), to: "annotations/instances_train.json")
        let dataset = try Dataset(root: folder.path)
        let report = try DatasetCheck(dataset, threads: 1).run()
        #expect(report.problems.count == 1)
        #expect(
            report.problems.first?.problem.hasPrefix("all labelled pixels of the split `train` are `background`, and")
                == true)
    }

    @Test func looseValues() throws {
        try picture("train/a.png")
        let variants = [
            "{\"id\": \"1\", \"image_id\": \"1\", \"category_id\": \"1\", \"segmentation\": \(square)}",
            "{\"id\": 1.0, \"image_id\": 1.0, \"category_id\": 1e0, \"iscrowd\": false, \"segmentation\": \(square)}",
            "{\"image_id\": 1, \"category_id\": 1, \"iscrowd\": null, \"segmentation\": [0, 0, 4, 0, 4, 3, 0, 3]}",
            "{\"image_id\": 1, \"category_id\": 1, \"x\": [null, true, {\"y\": -1e3}], \"segmentation\": \(square)}",
        ]
        for text in variants {
            try folder.write("\u{FEFF}" + instances(["a.png"], [text]), to: "annotations/instances_train.json")
            #expect(try counts(Dataset(root: folder.path)) == [[0: 36, 1: 12]], "\(text)")
        }
        let crowd = variants[1].replacingOccurrences(of: "false", with: "true")
        try folder.write(instances(["a.png"], [crowd]), to: "annotations/instances_train.json")
        #expect(try counts(Dataset(root: folder.path)) == [[0: 36, 255: 12]])
        for nothing in ["null", "[]", "[[]]", "[[1, 2, 3, 4]]"] {
            try folder.write(
                instances(["a.png"], [object(1, nothing), object()]), to: "annotations/instances_train.json")
            let dataset = try Dataset(root: folder.path)
            #expect(try counts(dataset) == [[0: 36, 1: 12]])
            #expect(try dataset.pairing(.train).notes.contains { $0.contains("1 objects have no outline") })
        }
        try folder.write(instances(["a.png"], [object(1, "null")]), to: "annotations/instances_train.json")
        let message = failure { _ = try Dataset(root: folder.path).samples(.train) }
        #expect(message?.contains("has boxes alone, no `segmentation`") == true)
    }

    @Test func idsOfTextAndNamesBeyondASCII() throws {
        try picture("train/K\u{FC}che \u{1F600}.png")
        try folder.write(
            """
            {"images": [{"id": "img_1", "file_name": "K\\u00fcche \\ud83d\\ude00.png"}],
             "annotations": [{"image_id": "img_1", "category_id": "c", "segmentation": \(square)}],
             "categories": [{"id": "c", "name": "Stra\\u00dfe"}]}
            """, to: "annotations/instances_train.json")
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.classes.names == ["background", "Stra\u{DF}e"])
        #expect(try counts(dataset) == [[0: 36, 1: 12]])
    }

    @Test(arguments: [
        ("batch1/000.png", "train/batch1/000.png"), ("./000.png", "train/000.png"),
        ("images/train/000.png", "images/train/000.png"), ("batch1\\\\000.png", "train/batch1/000.png"),
        ("train/000.png", "train/000.png"), ("/home/me/data/train/000.png", "train/000.png"),
        ("000.png", "images/000.png"), ("C:\\\\work\\\\000.png", "train/000.png"),
    ])
    func imagesAreFound(name: String, place: String) throws {
        try picture(place)
        try folder.write(instances([name], [object()]), to: "annotations/instances_train.json")
        let samples = try Dataset(root: folder.path).samples(.train)
        #expect(samples.map(\.image) == ["\(folder.path)/\(place)"])
    }

    @Test func imagesOutsideAreRefused() throws {
        let other = try TemporaryFolder()
        try writePNG(ramp(width: 8, height: 6), to: other.file("a.png"))
        try picture("train/b.png")
        try FileManager.default.createSymbolicLink(atPath: folder.place("train/out"), withDestinationPath: other.path)
        let outside = "../\((other.path as NSString).lastPathComponent)/a.png"
        for (name, problem) in [(outside, "may leave the data set's folder"), ("out/a.png", "by a link out of")] {
            try folder.write(instances(["b.png", name], [object()]), to: "annotations/instances_train.json")
            #expect(failure { _ = try Dataset(root: folder.path).samples(.train) }?.contains(problem) == true)
            var options = DatasetOptions()
            options.allowsOutsideRoot = true
            #expect(try Dataset(root: folder.path, options: options).samples(.train).count == 2)
        }
        try folder.write(instances(["b.png", "c/d.png"], [object()]), to: "annotations/instances_train.json")
        #expect(
            failure { _ = try Dataset(root: folder.path).samples(.train) }?
                .hasSuffix("names c/d.png, which is not below train, annotations, the data set's folder") == true)
        try folder.write(instances(["x.png", "y.png"], [object()]), to: "annotations/instances_train.json")
        #expect(
            failure { _ = try Dataset(root: folder.path).samples(.train) }?
                .contains("names x.png and other images, and none of them is below train") == true)
    }

    @Test(arguments: [
        ["train/_annotations.coco.json", "valid/_annotations.coco.json"],
        ["annotations/train.json", "annotations/val.json"], ["instances_train2017.json", "instances_val2017.json"],
        ["annotations/train_coco.json", "annotations/instances_validation.json"],
        ["train/annotations.json", "val/annotations.json"],
    ])
    func filesInOtherPlaces(files: [String]) throws {
        let valid = files[1].hasPrefix("valid/") ? "valid" : "val"
        try picture("train/a.png")
        try picture(files[1].contains("validation") ? "validation/b.png" : "\(valid)/b.png")
        if files[0].contains("2017") {
            try picture("train2017/a.png")
            try picture("val2017/b.png")
        }
        try folder.write(instances(["a.png"], [object()]), to: files[0])
        try folder.write(instances(["b.png"], [object()]), to: files[1])
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.layout == .coco && dataset.splits == [.train, .val])
        #expect(try dataset.samples(.train).map(\.name) == ["a"] && dataset.samples(.val).map(\.name) == ["b"])
    }

    @Test(arguments: ["annotations/instances_default.json", "annotations.json", "result.json"])
    func oneFileForAllImages(file: String) throws {
        try picture("images/a.png")
        try folder.write(instances(["images/a.png"], [object()]), to: file)
        let dataset = try Dataset(root: folder.path)
        #expect(dataset.layout == .coco && dataset.splits == [.train])
        #expect(try counts(dataset) == [[0: 36, 1: 12]])
    }

    @Test func whatIsLeftOutIsTold() throws {
        for name in ["a", "b"] { try picture("train/\(name).png") }
        try folder.write(
            instances(["a.png", "b.png"], [object(1), object(77)]), to: "annotations/instances_train.json")
        let notes = try Dataset(root: folder.path).pairing(.train).notes
        #expect(notes.contains { $0.contains("1 images have no object: they are background as a whole") })
        #expect(notes.contains { $0.contains("1 objects belong to images that are not listed") })
        try folder.write(instances(["a.png", "./a.png"], [object()]), to: "annotations/instances_train.json")
        #expect(
            failure { _ = try Dataset(root: folder.path).samples(.train) }?.contains("lists the image a.png a second")
                == true)
    }

    @Test(arguments: [1e19, 3e38, Double.infinity, -Double.infinity, Double.nan])
    func outlinesBeyondSenseAreClipped(far: Double) {
        let far = Float(far)
        let outline = Outlines([
            LabelledShape(label: 1, area: .polygons([[-far, -far, far, -far, far, far, -far, far]]))
        ])
        let mask = outline.mask(width: 3, height: 2)
        #expect(mask.labels.allSatisfy { $0 == (far.isNaN ? 0 : 1) })
    }
}
