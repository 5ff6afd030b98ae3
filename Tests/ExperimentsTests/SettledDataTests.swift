import Configurations
import Datasets
import Deployment
import Experiments
import Foundation
import Images
import Inference
import Runs
import SearchSpace
import TestSupport
import Testing

/// What masks mean, and where data lie, is settled when a run begins, and kept.
@Suite("Settled data", .serialized)
struct SettledDataTests {
    let temporary: TemporaryFolder

    init() throws { temporary = try TemporaryFolder() }

    /// Writes a set of two classes; each mask holds `values`, the last one of a split `last`.
    private func write(_ name: String, values: [UInt8], last: [UInt8], classes: [String] = ["background", "thing"])
        throws
    {
        for (split, count) in [("train", 10), ("val", 2)] {
            for kind in ["images", "masks"] {
                try FileManager.default.createDirectory(
                    atPath: temporary.file("\(name)/\(kind)/\(split)"), withIntermediateDirectories: true)
            }
            for number in 0..<count {
                let used = number == count - 1 ? last : values
                let labels = (0..<40 * 40).map { used[$0 % used.count] }
                var image = Image(width: 40, height: 40, color: Color(UInt8(number * 20), split == "val" ? 9 : 0, 7))
                image[0, 0] = Color(1, 2, 3)
                try writePNG(image, to: temporary.file("\(name)/images/\(split)/\(number).png"))
                try writePNG(
                    Mask(width: 40, height: 40, labels: labels), palette: [],
                    to: temporary.file("\(name)/masks/\(split)/\(number).png"))
            }
        }
        let text = classes.joined(separator: "\n")
        try Data(text.utf8).write(to: URL(fileURLWithPath: temporary.file("\(name)/classes.txt")))
    }

    private func configuration(_ data: String, _ settings: [String] = []) throws -> Configuration {
        var result = try Configuration.resolve(
            preset: "instant",
            overrides: ["threads=1", "search.layers=2", "search.blocks=1", "train.epochs=1"] + settings)
        result.data.root = data
        return result
    }

    private func train(
        _ run: String, _ configuration: Configuration, resume: Bool = false, watcher: Watcher = Watcher()
    ) throws {
        _ = try Training(
            resume ? nil : KnownDesign.deeplabv3.genotype(layers: 3), configuration,
            folder: try RunFolder(at: temporary.file(run), resume: resume), reporter: watcher,
            interruption: watcher.interruption
        ).run()
    }

    @Test("Masks of 0 and 255 whose objects come last are binary in the run, its model, its resumption and evaluations")
    func binary() throws {
        try write("data", values: [0], last: [0, 255])
        let watcher = Watcher()
        let data = try configuration(temporary.file("data"))
        try train("run", data, watcher: watcher)
        #expect(watcher.warnings.isEmpty)
        #expect(watcher.noted.filter { $0.contains("255 is read as thing (data.masks: binary)") }.count == 1)
        let kept = try Configuration.resolve(file: temporary.file("run/config.yaml"))
        #expect(kept.data.masks == .binary)
        let model = try Model(at: temporary.file("run"))
        #expect(model.masks == MaskMeaning(form: .binary))

        // Masks that are all empty, by which nobody could tell, change nothing for a run that goes on.
        try write("data", values: [0], last: [0])
        let longer = try configuration(temporary.file("data"), ["train.epochs=2"])
        try train("run", longer, resume: true)
        #expect(try Configuration.resolve(file: temporary.file("run/config.yaml")).data.masks == .binary)

        // Of another folder too 255 is the second class: half of the pixels of the last of two images.
        try write("other", values: [255], last: [0, 255])
        let other = try configuration(temporary.file("other"))
        let found = try evaluate(model, other, split: "val", reporter: Watcher()).metrics
        #expect(found.classes.map(\.pixels) == [800, 2_400])

        // Where 255 means something else there, that contradicts.
        try write("third", values: [0], last: [0, 1, 255])
        let third = try configuration(temporary.file("third"))
        let line = failure { _ = try evaluate(model, third, split: "val", reporter: Watcher()) }
        #expect(line?.contains("masks/val/1.png: holds 1 and 255, but is to be read as binary") == true)
    }

    @Test("Without a validation split a training is measured on its own images, says so, and keeps it")
    func withoutValidation() throws {
        try write("data", values: [0, 1], last: [0, 1])
        for kind in ["images", "masks"] {
            try FileManager.default.removeItem(atPath: temporary.file("data/\(kind)/val"))
        }
        let told = "has no split `val`: search and training are measured on the training images"
        let report = try checkData(configuration(temporary.file("data")), reporter: Watcher())
        #expect(report.problems.isEmpty && report.notes.contains { $0.contains(told) })
        let watcher = Watcher()
        try train("run", configuration(temporary.file("data")), watcher: watcher)
        #expect(watcher.warnings.count == 1 && watcher.warnings.first?.contains(told) == true)
        #expect(try Configuration.resolve(file: temporary.file("run/config.yaml")).data.splits.val == "train")

        // One that is asked for by name is no matter of taste.
        let other = try configuration(temporary.file("data"), ["data.splits.val=valid"])
        #expect(try !checkData(other, reporter: Watcher()).problems.isEmpty)
        #expect(failure { try train("other", other) }?.contains("valid") == true)
    }

    @Test("A model that learnt with 255 ignored says where that leaves out what is measured")
    func indices() throws {
        try write("data", values: [0], last: [0, 1])
        try train("run", configuration(temporary.file("data")))
        let model = try Model(at: temporary.file("run"))
        #expect(model.masks == MaskMeaning(form: .indices))
        try write("other", values: [0], last: [0, 255])
        let watcher = Watcher()
        let other = try configuration(temporary.file("other"))
        #expect(try evaluate(model, other, split: "val", reporter: watcher).metrics.classes[1].pixels == 0)
        #expect(watcher.warnings.count == 1)
        #expect(
            watcher.warnings.first?.contains(
                "25 % of the pixels of the split `val` are ignored and none is labelled thing") == true)
        // What is said by hand goes before.
        let said = try configuration(temporary.file("other"), ["data.masks=binary"])
        #expect(try evaluate(model, said, split: "val", reporter: Watcher()).metrics.classes[1].pixels == 800)
    }

    @Test("Classes in another order than the model's are refused, other names are told")
    func names() throws {
        try write("data", values: [0], last: [0, 1])
        try train("run", configuration(temporary.file("data")))
        let model = try Model(at: temporary.file("run"))
        try write("turned", values: [0], last: [0, 1], classes: ["thing", "background"])
        let turned = try configuration(temporary.file("turned"))
        let line = failure { _ = try evaluate(model, turned, split: "val", reporter: Watcher()) }
        #expect(line?.contains("0 is thing here and background there, 1 is background here and thing there") == true)
        try write("others", values: [0], last: [0, 1], classes: ["Background", "sky"])
        let watcher = Watcher()
        _ = try evaluate(model, configuration(temporary.file("others")), split: "val", reporter: watcher)
        #expect(watcher.warnings.count == 1)
        #expect(watcher.warnings.first?.hasSuffix("compared by number: 1 is sky here and thing there") == true)
    }

    @Test("Greys of three classes are kept as a map")
    func greys() throws {
        try write("data", values: [0, 128], last: [0, 128, 255, 255], classes: ["a", "b", "c"])
        try train("run", configuration(temporary.file("data")))
        let kept = try Configuration.resolve(file: temporary.file("run/config.yaml"))
        #expect(kept.data.masks == .indices && kept.data.labels.map == [128: 1, 255: 2])
        #expect(try Model(at: temporary.file("run")).masks == MaskMeaning(form: .indices, map: [128: 1, 255: 2]))
    }

    @Test("Nothing labelled stops training and search before they begin; a class without a pixel is a warning")
    func nothing() throws {
        try write("data", values: [255], last: [255], classes: ["a", "b", "c"])
        let data = try configuration(temporary.file("data"))
        let expected = "\(temporary.file("data")): no pixel of the 10 masks of the split `train` is labelled"
        #expect(failure { try train("run", data) }?.hasPrefix(expected) == true)
        let search = failure {
            _ = try Search(
                data, folder: RunFolder(at: temporary.file("search"), resume: false), reporter: Watcher(),
                interruption: Interruption())
        }
        #expect(search?.hasPrefix(expected) == true)

        try write("data", values: [0, 255], last: [1], classes: ["a", "b", "c"])
        let watcher = Watcher()
        try train("other", data, watcher: watcher)
        #expect(watcher.warnings.count == 1)
        #expect(
            watcher.warnings.first?.contains("no pixel of the split `train` is labelled c (45 % of the pixels") == true)
    }

    @Test("Folders are kept with their whole paths, and one that is missing is named with the place and the option")
    func paths() throws {
        var data = DataConfiguration()
        data.root = "./no/such/data"
        let current = FileManager.default.currentDirectoryPath
        #expect(
            failure { _ = try data.dataset() }
                == "./no/such/data: is no folder in the current folder, \(current): name the folder of the data set (data.root)"
        )
        data.root = "/no/such/data"
        #expect(
            failure { _ = try data.dataset() }
                == "/no/such/data: is no folder: name the folder of the data set (data.root)")

        try write("data", values: [0], last: [0, 1])
        // The current folder belongs to all tests: a way from it to the data stands in for a short name.
        let up = String(repeating: "../", count: current.split(separator: "/").count)
        let relative = "./" + up + temporary.file("data").drop { $0 == "/" }
        try train("run", configuration(relative, ["data.tiles.cache=cache"]))
        let kept = try Configuration.resolve(file: temporary.file("run/config.yaml"))
        #expect(kept.data.root == current + "/" + relative.dropFirst(2))
        #expect(kept.data.tiles.cache == current + "/cache")
    }
}
