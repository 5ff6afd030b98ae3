import Foundation
import TestSupport
import Testing

@Suite("data check")
struct DataCheckTests {
    @Test("A clean data set is status 0, its JSON has the promised keys, and no progress mixes in")
    func clean() throws {
        let folder = try TemporaryFolder()
        #expect(try Command.run("data", "demo", "--count", "10", "--output", folder.file("scenes")).status == 0)
        let result = try Command.run("data", "check", folder.file("scenes"), "--json", "--threads", "2")
        #expect(result.status == 0)
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        let splits = try #require(object["splits"] as? [String: [String: Any]])
        #expect(splits.mapValues { $0["images"] as? Int } == ["train": 10, "val": 2, "test": 2])
        let classes = try #require(object["classes"] as? [[String: Any]])
        #expect(classes.count == 7 && classes[0]["name"] as? String == "sky")
        #expect(classes.allSatisfy { $0["pixels"] is Int && $0["images"] is Int })
        #expect((object["problems"] as? [Any])?.isEmpty == true)
        let suggestion = try #require(object["suggestion"] as? [String: Any])
        #expect(suggestion["crop"] as? [Int] == [97, 97])

        let screen = try Command.run("data", "check", folder.file("scenes"), "-q")
        #expect(screen.status == 0 && screen.errors.isEmpty)
        #expect(screen.output.hasPrefix("\(folder.file("scenes")): layout folders, 14 images, 7 classes\n"))
        #expect(screen.output.hasSuffix("no problems\n"))
        #expect(screen.output.contains("class weights by median frequency: --set train.classWeights=["))
        #expect(screen.output.split(separator: "\n").count < 40)
    }

    @Test("A line break in a file's content begins no line on the screen")
    func forgedLines() throws {
        let folder = try TemporaryFolder()
        let root = folder.file("coco")
        for name in ["annotations", "train2017"] {
            try FileManager.default.createDirectory(atPath: root + "/" + name, withIntermediateDirectories: true)
        }
        let text = #"""
            {"images": [{"id": 1, "file_name": "a.jpg\n0 problems\nall is well"}], "annotations": [],
            "categories": [{"id": 1, "name": "car"}]}
            """#
        try Data(text.utf8).write(to: URL(fileURLWithPath: root + "/annotations/instances_train2017.json"))
        let result = try Command.run("data", "check", root, "-q")
        #expect(result.status == 65)
        #expect(result.output.contains(#"names a.jpg\n0 problems\nall is well"#), "\(result.output)")
        #expect(!result.output.split(separator: "\n").contains { $0.hasPrefix("0 problems") })
    }

    @Test("What a training refuses is status 65: no masks, classes without names; what it can do without is a note")
    func refused() throws {
        let folder = try TemporaryFolder()
        let scenes = folder.file("scenes")
        #expect(try Command.run("data", "demo", "--count", "10", "--output", scenes).status == 0)
        #expect(try Command.run("data", "check", scenes, "-q", "--set", "data.splits.val=test").status == 0)
        try FileManager.default.removeItem(atPath: scenes + "/images/val")
        try FileManager.default.removeItem(atPath: scenes + "/classes.txt")
        for split in ["train", "val"] { try? FileManager.default.removeItem(atPath: scenes + "/masks/" + split) }
        let result = try Command.run("data", "check", scenes, "-q")
        #expect(result.status == 65)
        #expect(result.output.contains("note: \(scenes): has no split `val`"))
        #expect(result.output.contains("no image of the split `train` has a mask (folders there: images, masks)"))
        #expect(result.output.contains("names no classes: write classes.txt"))
        for number in 1..<10 {
            try FileManager.default.removeItem(atPath: scenes + "/images/train/000\(number).png")
        }
        let one = try Command.run("data", "check", scenes, "-q")
        #expect(one.output.contains("note: one image alone in the split `train`"))
    }

    @Test("A fault is status 65 and named with its file; a training stops at the same label")
    func faulty() throws {
        let folder = try TemporaryFolder()
        let scenes = folder.file("scenes")
        #expect(try Command.run("data", "demo", "--count", "10", "--output", scenes).status == 0)
        _ = try folder.write("sky\nbuilding\n", to: "scenes/classes.txt")
        let result = try Command.run("data", "check", scenes, "-q")
        #expect(result.status == 65)
        #expect(result.output.contains("problems:\n  \(scenes)/masks/"))
        #expect(result.output.contains(": has the label "))
        #expect(result.output.contains("but there are 2 classes (0 to 1, 255 ignored)"))
        let search = try Command.run(
            "search", "--preset", "instant", "--data", scenes, "--output", folder.file("run"), "-q", "--threads", "1")
        #expect(search.status == 65)
        #expect(search.errors.hasPrefix("error: \(scenes)/masks/") && search.errors.contains("has the label "))
        #expect(search.errors.filter(\.isNewline).count == 1)
        #expect(try Command.run("data", "check", folder.file("none")).status == 66)
    }
}
