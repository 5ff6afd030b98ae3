import Datasets
import Foundation
import Images
import Segmentation
import TestSupport
import Testing

@Suite struct COCOTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for name in ["a", "b", "c"] {
            try writePNG(ramp(width: 8, height: 6), to: folder.place("train2017/\(name).png"))
        }
    }

    private let categories = """
        [{"id": 3, "name": "car"}, {"id": 18, "name": "dog"}, {"id": 70, "name": "toilet"},
         {"id": 72, "name": "tv"}]
        """

    /// Writes an instances file and reads the masks.
    private func masks(_ annotations: String, minimum: Int = 1) throws -> [String: Mask] {
        let images = ["a", "b", "c"].enumerated().map {
            "{\"file_name\": \"\($1).png\", \"id\": \($0), \"x\": [1, {}]}"
        }
        try folder.write(
            """
            {"info": {"a": [1, "]"], "b": null}, "images": [\(images.joined(separator: ", "))],
             "annotations": [\(annotations)], "categories": \(categories)}
            """, to: "annotations/instances_train2017.json")
        var options = DatasetOptions()
        options.classes = KnownClasses.voc.table
        options.minimumLabelledPixels = minimum
        let dataset = try Dataset(root: folder.path, options: options)
        #expect(dataset.layout == .coco && dataset.classes.count == 21)
        let reader = dataset.reader()
        return try Dictionary(
            uniqueKeysWithValues: dataset.samples(.train).map { ($0.name, try reader.read($0).mask) })
    }

    private func rows(_ mask: Mask?) -> [String] {
        guard let mask else { return [] }
        return (0..<mask.height).map { y in
            (0..<mask.width).map { mask[$0, y] == 255 ? "#" : mask[$0, y] == 0 ? "." : "\(mask[$0, y] % 10)" }.joined()
        }
    }

    /// Car is VOC's class 7, dog 12 (shown as 2), tv its 20 (shown as 0).
    @Test func polygonsAreFilled() throws {
        let found = try masks(
            """
            {"image_id": 0, "category_id": 3, "iscrowd": 0,
             "segmentation": [[1, 1, 5, 1, 5, 4, 1, 4], [7, 0, 8, 0, 8, 1, 7, 1]]},
            {"image_id": 0, "category_id": 18, "iscrowd": 0, "segmentation": [[2, 2, 4.4, 2, 4.4, 3, 2, 3]]},
            {"image_id": 0, "category_id": 70, "iscrowd": 0, "segmentation": [[0, 0, 8, 0, 8, 6, 0, 6]]}
            """)
        #expect(Set(found.keys) == ["a"])
        #expect(rows(found["a"]) == [".......7", ".7777...", ".7227...", ".7777...", "........", "........"])
    }

    /// The same area as list of runs and in COCO's text form, the text by COCO's own coder.
    @Test func bothRunLengthForms() throws {
        let found = try masks(
            """
            {"image_id": 0, "category_id": 3, "iscrowd": 0,
             "segmentation": {"size": [6, 8], "counts": [7, 2, 4, 2, 33]}},
            {"image_id": 1, "category_id": 3, "iscrowd": 0, "segmentation": {"counts": "7240m0", "size": [6, 8]}},
            {"image_id": 2, "category_id": 18, "iscrowd": 1, "segmentation": {"size": [6, 8], "counts": [6, 6, 36]}},
            {"image_id": 2, "category_id": 3, "iscrowd": 0, "segmentation": [[0, 0, 3, 0, 3, 2, 0, 2]]}
            """)
        #expect(rows(found["a"]) == ["........", ".77.....", ".77.....", "........", "........", "........"])
        #expect(found["b"] == found["a"])
        #expect(rows(found["c"]) == ["777.....", "777.....", ".#......", ".#......", ".#......", ".#......"])
    }

    /// Run lengths coded by the definition, over random runs.
    @Test func textsOfRunsDecodeToTheRuns() throws {
        func encode(_ runs: [Int]) -> [UInt8] {
            var text: [UInt8] = []
            for (index, run) in runs.enumerated() {
                var value = index > 2 ? run - runs[index - 2] : run
                while true {
                    let bits = value & 31
                    value >>= 5
                    let isLast = bits & 16 != 0 ? value == -1 : value == 0
                    text.append(UInt8(48 + bits + (isLast ? 0 : 32)))
                    if isLast { break }
                }
            }
            return text
        }
        var random = RandomStream(seed: 31)
        for _ in 0..<200 {
            let runs = (0..<random.below(20)).map { _ in random.below(1 << (1 + random.below(18))) }
            #expect(COCODocument.decodedRuns(encode(runs)) == runs.map { UInt32($0) })
        }
        #expect(COCODocument.decodedRuns([0x20]) == nil && COCODocument.decodedRuns([48 + 32]) == nil)
    }

    /// Each pixel's centre against a count of crossings of a ray, for random polygons.
    @Test func fillingEqualsTheLiteralRule() {
        var random = RandomStream(seed: 32)
        for round in 0..<200 {
            let points = (0..<2 * (3 + random.below(5))).map { _ in Float(random.uniform(-3, 14)) }
            let shape = LabelledShape(label: 1, area: .polygons([points]))
            let mask = Outlines([shape]).mask(width: 12, height: 11)
            for y in 0..<11 {
                for x in 0..<12 {
                    let (centerX, centerY) = (Float(x) + 0.5, Float(y) + 0.5)
                    var crossings = 0
                    for index in 0..<points.count / 2 {
                        let next = (index + 1) % (points.count / 2)
                        let (x0, y0, x1, y1) = (
                            points[2 * index], points[2 * index + 1], points[2 * next], points[2 * next + 1]
                        )
                        guard (y0 <= centerY) != (y1 <= centerY) else { continue }
                        if x0 + (centerY - y0) / (y1 - y0) * (x1 - x0) > centerX { crossings += 1 }
                    }
                    #expect(mask[x, y] == UInt8(crossings % 2), "round \(round), \(x), \(y)")
                }
            }
        }
    }

    @Test func imagesWithFewLabelledPixelsAreLeftOut() throws {
        let annotations = """
            {"image_id": 0, "category_id": 3, "iscrowd": 0, "segmentation": [[0, 0, 4, 0, 4, 4, 0, 4]]},
            {"image_id": 1, "category_id": 3, "iscrowd": 0, "segmentation": [[0, 0, 3, 0, 3, 4, 0, 4]]},
            {"image_id": 2, "category_id": 3, "iscrowd": 1, "segmentation": {"size": [6, 8], "counts": [0, 48]}}
            """
        #expect(try masks(annotations, minimum: 13).keys.sorted() == ["a"])
        #expect(try masks(annotations, minimum: 12).keys.sorted() == ["a", "b"])
        var options = DatasetOptions()
        options.classes = KnownClasses.voc.table
        options.minimumLabelledPixels = 1_000
        let notes = try Dataset(root: folder.path, options: options).pairing("train2017").notes
        #expect(notes.contains { $0.contains("3 images with fewer than 1000 labelled pixels are left out") })
        // By default every image counts.
        #expect(try Dataset(root: folder.path).pairing("train2017").samples.count == 3)
    }

    @Test(arguments: [
        ("{\"image_id\": 0, \"category_id\": 3, \"segmentation\": [[1, 2", "is expected at byte"),
        ("{\"image_id\": {}, \"category_id\": 3}", "annotations[0].image_id: a number is expected at byte"),
        ("{\"image_id\": 1.5}", "annotations[0].image_id: a whole number is expected at byte"),
        ("{\"id\": 7, \"iscrowd\": \"maybe\"}", "annotations[0].iscrowd: 0, 1, false or true is expected at byte"),
        ("{\"id\": 7, \"iscrowd\": 2}", "annotations[0].iscrowd: 0, 1, false or true is expected at byte"),
        ("{\"id\": 7, \"iscrowd\": -1}", "annotations[0].iscrowd: 0, 1, false or true is expected at byte"),
        ("], \"images\": [], \"more\": [", "images: the key comes for the second time"),
        ("{\"id\": 7, \"iscrowd\": [1]}", "(the annotation's id is 7)"),
        ("{\"image_id\": 1}, {\"category_id\": 3}", "an annotation has an `image_id` and a `category_id`"),
        ("{\"segmentation\": [[1, 2, 1e19, 4, 5, 6]]}", "annotations[0].segmentation[0][2]: 1e+19 is no pixel"),
        ("{\"segmentation\": [[1, 2, 3, NaN, 5, 6]]}", "annotations[0].segmentation[0][3]: a number is expected"),
        ("{\"segmentation\": [[1, 2, 3, 4, 5, 6, 7]]}", "a polygon has x and y by turns, and an odd number"),
        ("{\"segmentation\": \"x\"}", "annotations[0].segmentation: a list of polygons or an object"),
        ("{\"image_id\": 0, \"category_id\": 5}", "annotations[0]: the category_id 5 is none of the file's categories"),
        ("{\"segmentation\": {\"counts\": \"!\", \"size\": [6, 8]}}", "a run-length text that is damaged"),
        ("{\"segmentation\": {\"counts\": [1, 2]}}", "a run-length mask without its size"),
        (
            "{\"id\": 7, \"segmentation\": {\"size\": [6, 8], \"counts\": [7, 2]}}",
            "annotations[0].segmentation: the run lengths cover 9 pixels, and a mask of 8x6 has 48"
        ),
        ("{\"id\": 7, \"segmentation\": {\"size\": [6, 8], \"counts\": [7, 200]}}", "(the annotation's id is 7)"),
        ("{\"segmentation\": {\"size\": [6, 8], \"counts\": \"\"}}", "the run lengths cover 0 pixels"),
        ("{\"segmentation\": {\"size\": [6, 8], \"counts\": [-2, 50]}}", "-2 is no run length"),
        // Two less than nothing, then fifty.
        ("{\"segmentation\": {\"size\": [6, 8], \"counts\": \"Nb1\"}}", "a run-length text that is damaged"),
        ("{\"segmentation\": {\"size\": [0, 99999999]}}", "a run-length mask of the size [0, 99999999]"),
    ])
    func faults(annotation: String, problem: String) throws {
        let message = failure { _ = try masks(annotation) }
        #expect(
            message?.contains("instances_train2017.json: ") == true && message?.contains(problem) == true,
            "\(message ?? "no error")")
    }

    @Test func nothingFollowsTheDocument() throws {
        _ = try masks(
            "{\"image_id\": 0, \"category_id\": 3, \"segmentation\": [[1, 1, 5, 1, 5, 4, 1, 4]]}")
        let path = folder.path + "/annotations/instances_train2017.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try (text + " \n").write(toFile: path, atomically: true, encoding: .utf8)
        _ = try Dataset(root: folder.path).samples(.train)
        try (text + " xx").write(toFile: path, atomically: true, encoding: .utf8)
        let message = failure { _ = try Dataset(root: folder.path).samples(.train) }
        #expect(message?.contains("the end is expected at byte") == true, "\(message ?? "no error")")
    }

    @Test func runsOfAnotherSizeAreRefused() throws {
        let message = failure {
            _ = try masks(
                "{\"image_id\": 0, \"category_id\": 3, \"segmentation\": {\"size\": [8, 6], \"counts\": [0, 48]}}")
        }
        #expect(message?.contains("has a run-length mask of 6x8 pixels, but its image") == true)
    }

    @Test func mutatedFilesGiveOneLine() throws {
        _ = try masks(
            """
            {"image_id": 0, "category_id": 3, "iscrowd": 0, "segmentation": [[1.5, 1e1, 5, -1, 5, 4, 1, 4]]},
            {"image_id": 1, "category_id": 3, "iscrowd": 0, "segmentation": {"size": [6, 8], "counts": "7240m0"}}
            """)
        let path = try folder.place("annotations/instances_train2017.json")
        let original = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        var random = RandomStream(seed: 33)
        for _ in 0..<1_000 {
            var bytes = original
            for _ in 0...random.below(4) {
                switch random.below(3) {
                case 0: bytes[random.below(bytes.count)] = UInt8(random.below(256))
                case 1: bytes.remove(at: random.below(bytes.count))
                default: bytes.insert(Array("[]{},:\"\\-9e.".utf8)[random.below(12)], at: random.below(bytes.count))
                }
            }
            try folder.write(bytes, to: "annotations/instances_train2017.json")
            if let message = failure({
                let dataset = try Dataset(root: folder.path)
                for sample in try dataset.pairing(.train).samples { _ = try dataset.reader().read(sample) }
            }) {
                #expect(message.hasPrefix(folder.path) && !message.contains("\n"), "\(message)")
            }
        }
    }
}
