import Configurations
import Deployment
import Foundation
import Images
import TestSupport
import Testing

/// `predict` on folders, by windows, with probabilities, and with files that are no images.
@Suite("Predicting", .serialized)
struct PredictTests {
    /// A model of seconds and four images in two folders.
    private struct Setting {
        let folder: TemporaryFolder
        var model: String { folder.file("train") }
        var images: String { folder.file("images") }

        init() throws {
            folder = try TemporaryFolder()
            let scenes = folder.file("scenes")
            #expect(try Command.run("data", "demo", "--count", "20", "--output", scenes).status == 0)
            let trained = try Command.run(
                "train", "--preset", "instant", "--genotype", "deeplabv3:3", "--data", scenes, "--output",
                folder.file("train"), "--set", "train.iterations=2", "-q", "--threads", "1")
            #expect(trained.status == 0, "\(trained.errors)")
            for name in ["a", "b"] {
                try FileManager.default.createDirectory(
                    atPath: images + "/" + name, withIntermediateDirectories: true)
                for number in ["0000", "0001"] {
                    try FileManager.default.copyItem(
                        atPath: scenes + "/images/test/\(number).png", toPath: images + "/\(name)/\(number).png")
                }
            }
        }

        func predict(_ arguments: String...) throws -> Command.Result {
            try Command.run(["predict", model] + arguments + ["-q", "--threads", "1"])
        }

        func files(_ name: String) -> [String] {
            let all = FileManager.default.enumerator(atPath: folder.file(name))?.compactMap { $0 as? String } ?? []
            return all.filter { $0.contains(".") }.sorted()
        }
    }

    @Test("Measurements: every class of every image, its pixels adding up; another table is not overwritten")
    func measurements() throws {
        let setting = try Setting()
        let output = setting.folder.file("measured")
        let result = try setting.predict(
            setting.images, "--output", output, "--measure", "--pixel-size", "0.5")
        try #require(result.status == 0, "\(result.errors)")
        let lines = try setting.folder.text("measured/measurements.csv").split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        #expect(lines[0] == ["image", "class", "pixels", "share", "parts", "area"] && lines.count == 1 + 4 * 7)
        let mask = try readMask(path: output + "/a/0000.png")
        let own = lines.filter { $0[0].hasSuffix("a/0000.png") }
        #expect(own.reduce(0) { $0 + (Int($1[2]) ?? 0) } == mask.labels.count)
        let parts = mask.connectedParts(classes: 7)
        for (label, row) in own.enumerated() {
            let pixels = mask.labels.filter { Int($0) == label }.count
            #expect(Int(row[2]) == pixels && Int(row[4]) == parts[label] && Double(row[5]) == Double(pixels) / 4)
        }
        #expect(try setting.predict(setting.images, "--output", output, "--measure").status == 0)
        try Data("mine\n".utf8).write(to: URL(fileURLWithPath: setting.folder.place("other/measurements.csv")))
        let refused = try setting.predict(setting.images, "--output", setting.folder.file("other"), "--measure")
        #expect(refused.status != 0 && refused.errors.contains("no prediction wrote it"), "\(refused.errors)")
        #expect(try setting.predict(setting.images, "--output", output, "--pixel-size", "1").status == 64)
    }

    @Test("A folder's subfolders are kept apart, and one bad image is told of while the rest go on")
    func folders() throws {
        let setting = try Setting()
        try Data("no image".utf8).write(to: URL(fileURLWithPath: setting.images + "/a/bad.png"))
        let result = try setting.predict(setting.images, "--output", setting.folder.file("masks"), "--overlay")
        #expect(result.status == 65)
        #expect(
            result.errors.contains(
                "\(setting.images)/a/bad.png: is no image of a known format (PNG, JPEG, TIFF, BMP, WebP, GIF)"))
        #expect(
            setting.files("masks") == [
                "a/0000-overlay.png", "a/0000.png", "a/0001-overlay.png", "a/0001.png", "b/0000-overlay.png",
                "b/0000.png", "b/0001-overlay.png", "b/0001.png",
            ])
        let mask = try readMask(path: setting.folder.file("masks/a/0000.png"))
        let overlay = try readImage(path: setting.folder.file("masks/a/0000-overlay.png"))
        // The legend is below, in a strip of a third of the image at most.
        #expect(overlay.width == mask.width)
        #expect(overlay.height > mask.height && overlay.height - mask.height <= mask.height / 3)
        let plain = try setting.predict(
            setting.images + "/a/0000.png", "--output", setting.folder.file("plain"), "--overlay", "--no-legend")
        #expect(plain.status == 0)
        let bare = try readImage(path: setting.folder.file("plain/0000-overlay.png"))
        #expect(bare.width == mask.width && bare.height == mask.height)
        #expect(Array(overlay.pixels.prefix(bare.pixels.count)) == bare.pixels)
        let twice = try setting.predict(
            setting.images + "/a/0000.png", setting.images + "/b/0000.png", "--output", setting.folder.file("other"))
        #expect(twice.status != 0)
        #expect(twice.errors.contains("would be the mask of ") && twice.errors.contains("into different folders"))
        #expect(setting.files("other").isEmpty)
    }

    @Test("Images that cannot be read, or whose results no disk can name, stop none of the others")
    func unusable() throws {
        let setting = try Setting()
        let files = FileManager.default
        let images = setting.folder.file("plain")
        try files.createDirectory(atPath: images, withIntermediateDirectories: true)
        let good = try Data(contentsOf: URL(fileURLWithPath: setting.images + "/a/0000.png"))
        let long = String(repeating: "l", count: 240) + ".png"
        let longer = String(repeating: "n", count: 251) + ".png"
        for (name, bytes) in [
            ("a-torn.png", good.prefix(good.count / 2)), ("b-empty.png", Data()), ("c-text.png", Data("text".utf8)),
            (long, good), (longer, good), ("z.png", good),
        ] {
            try bytes.write(to: URL(fileURLWithPath: images + "/" + name))
        }
        let taken = setting.folder.file("taken/z.png")
        try files.createDirectory(atPath: setting.folder.file("taken"), withIntermediateDirectories: true)
        #expect(mkfifo(taken, 0o600) == 0)
        let pipe = try setting.predict(images + "/z.png", "--output", setting.folder.file("taken"))
        #expect(pipe.status == 64 && pipe.errors.contains("z.png: is there already"), "\(pipe.errors)")
        try files.createSymbolicLink(atPath: images + "/d-gone.png", withDestinationPath: "nowhere.png")
        let result = try setting.predict(images, "--output", setting.folder.file("masks"), "--overlay")
        #expect(result.status == 65)
        let told = result.errors.split(separator: "\n")
        for name in ["a-torn.png", "b-empty.png", "c-text.png", longer] {
            #expect(told.filter { $0.contains("plain/\(name): ") }.count == 1, "\(name): \(told)")
        }
        #expect(result.errors.contains("its overlay would have a name of 263 bytes, and the disk takes 255"))
        #expect(
            setting.files("masks").sorted()
                == [long, long.dropLast(4) + "-overlay.png", "z-overlay.png", "z.png"].sorted())
    }

    @Test("Hidden files are passed over, other files counted, linked folders followed; no image at all is status 66")
    func listing() throws {
        let setting = try Setting()
        let files = FileManager.default
        try files.createDirectory(atPath: setting.images + "/a/.ipynb_checkpoints", withIntermediateDirectories: true)
        for name in ["._0000.png", ".DS_Store", "Thumbs.db", ".ipynb_checkpoints/0000-checkpoint.png", "raw.heic"] {
            try Data("no image".utf8).write(to: URL(fileURLWithPath: setting.images + "/a/" + name))
        }
        try files.createSymbolicLink(
            atPath: setting.folder.file("linked"), withDestinationPath: setting.images + "/a")
        let result = try Command.run(
            "predict", setting.model, setting.folder.file("linked"), "--output", setting.folder.file("masks"),
            "--threads", "1")
        #expect(result.status == 0, "\(result.errors)")
        #expect(setting.files("masks") == ["0000.png", "0001.png"])
        #expect(result.errors.contains("/linked: 1 file of .heic left out"))
        for name in ["0000.png", "0001.png"] { try files.removeItem(atPath: setting.images + "/a/" + name) }
        let none = try setting.predict(setting.images + "/a", "--output", setting.folder.file("none"))
        #expect(none.status == 66)
        #expect(none.errors.hasPrefix("error: \(setting.images)/a: holds no image (found: 1 file of .heic)"))
        #expect(!files.fileExists(atPath: setting.folder.file("none")))
    }

    @Test("Probabilities agree with the masks, whole, by windows and at several scales with flip")
    func probabilities() throws {
        let setting = try Setting()
        let image = setting.images + "/a/0000.png"
        for (name, options) in [
            ("whole", [String]()), ("windows", ["--window", "65", "--overlap", "0.5"]),
            ("scales", ["--scales", "0.75,1.25", "--flip"]),
        ] {
            let output = setting.folder.file(name)
            for kind in ["npy", "safetensors"] {
                let result = try Command.run(
                    ["predict", setting.model, image, "--output", output, "--probabilities", kind, "-q"] + options)
                #expect(result.status == 0, "\(result.errors)")
            }
            #expect(setting.files(name) == ["0000.npy", "0000.png", "0000.safetensors"])
            guard Python.has("numpy", "safetensors", "PIL") else { continue }
            let seen = try Python.run(
                """
                import sys, numpy
                from PIL import Image
                from safetensors.numpy import load_file
                p = numpy.load(sys.argv[1] + '/0000.npy')
                q = load_file(sys.argv[1] + '/0000.safetensors')['probabilities']
                m = numpy.array(Image.open(sys.argv[1] + '/0000.png'))
                print(p.shape[1:] == m.shape, (p == q).all(), abs(p.sum(0) - 1).max() < 1e-5, (p.argmax(0) == m).all())
                """, output)
            #expect(seen == "True True True True\n", "\(name)")
        }
    }

    @Test("Results for a benchmark's server need its classes")
    func form() throws {
        let setting = try Setting()
        let result = try setting.predict(
            setting.images, "--output", setting.folder.file("out"), "--form", "voc")
        #expect(result.status != 0)
        #expect(result.errors.contains("results for voc have 21 classes, and the model has 7"))
    }

    @Test("An evaluation of a model file writes where it is told")
    func evaluation() throws {
        let setting = try Setting()
        // The second one shows an image less, and takes the other away.
        for pictures in [["worst/1.png", "worst/2.png"], ["worst/1.png"]] {
            let result = try Command.run(
                "evaluate", setting.model + "/model.safetensors", "--data", setting.folder.file("scenes"), "--split",
                "test", "--output", setting.folder.file("judged"), "--window", "97", "--set",
                "evaluate.worst=\(pictures.count)", "-q")
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.contains("boundary F ") && result.output.contains("frequency-weighted IoU "))
            let files = ["confusion.csv", "confusion.svg", "metrics.json"]
            #expect(
                setting.files("judged") == files + (files + pictures).map { "splits/test/" + $0 } + pictures)
        }
    }
}
