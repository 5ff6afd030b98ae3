import Deployment
import Foundation
import Images
import TestSupport
import Testing

/// What is read is never written, whatever verb writes.
@Suite("Output never destroys input", .serialized)
struct OutputTests {
    private let folder: TemporaryFolder
    private var scenes: String { folder.file("scenes") }
    private var train: String { folder.file("train") }
    private var work: String { folder.file("work") }

    init() throws {
        folder = try TemporaryFolder()
        #expect(try Command.run("data", "demo", "--count", "10", "--output", scenes).status == 0)
        let trained = try Command.run(
            "train", "--preset", "instant", "--genotype", "deeplabv3:3", "--data", scenes, "--output", train, "--set",
            "train.iterations=2", "-q", "--threads", "1")
        #expect(trained.status == 0, "\(trained.errors)")
        try FileManager.default.copyItem(atPath: scenes + "/images/test", toPath: work)
    }

    /// Every file and link below a folder with its bytes.
    private func contents(_ path: String) throws -> [String: Data] {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return Dictionary(
            uniqueKeysWithValues: names.compactMap { name in
                FileManager.default.contents(atPath: path + "/" + name).map { (name, $0) }
            })
    }

    /// Expects status 64, one line with all of these, and every file as it was.
    private func expectRefused(_ arguments: [String], _ parts: String...) throws {
        let before = try contents(folder.path)
        let result = try Command.run(arguments)
        let command = arguments.joined(separator: " ")
        #expect(result.status == 64 && result.output.isEmpty, "\(command): \(result.errors)")
        #expect(result.errors.filter(\.isNewline).count == 1, "\(result.errors)")
        for part in parts { #expect(result.errors.contains(part), "\(command): \(result.errors)") }
        #expect(try contents(folder.path) == before, "\(command)")
    }

    private func copy(_ from: String, _ to: String) throws {
        try FileManager.default.copyItem(atPath: from, toPath: folder.file(to))
    }

    @Test("predict writes over no image, whatever leads to it")
    func predictions() throws {
        let files = FileManager.default
        try expectRefused(
            ["predict", train, work, "--output", work], "\(work)/0000.png: would overwrite \(work)/0000.png")
        try expectRefused(["predict", train, work + "/0000.png", "--output", folder.file("./work/../work//")])
        try files.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: "work")
        try expectRefused(
            ["predict", train, work, "--output", folder.file("link")], "link/0000.png", work + "/0000.png")
        for (name, isHard) in [("hard", true), ("soft", false)] {
            try files.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
            let target = folder.file(name) + "/0000.png"
            if isHard {
                try files.linkItem(atPath: work + "/0001.png", toPath: target)
            } else {
                try files.createSymbolicLink(atPath: target, withDestinationPath: "../work/0001.png")
            }
            try expectRefused(["predict", train, work, "--output", folder.file(name)], target, work + "/0001.png")
        }
        // Neither truths nor a model, though only the model is read.
        let masks = scenes + "/masks/val"
        try expectRefused(
            ["predict", train, scenes + "/images/val", "--output", masks], "\(masks)/0000.png: is there already")
        try copy(work + "/0000.png", "model.png")
        try expectRefused(
            ["predict", train, folder.file("model.png"), "--output", train, "--probabilities", "safetensors"],
            "train/model.safetensors: would overwrite ")
        try copy(train + "/model.safetensors", "0000.safetensors")
        try expectRefused(
            ["predict", train, work + "/0000.png", "--output", folder.path, "--probabilities", "safetensors"],
            "0000.safetensors: is there already")
    }

    @Test("Two results never get one name, and earlier predictions are written anew")
    func names() throws {
        for name in ["a.png", "A.PNG", "a-overlay.png"] { try copy(work + "/0000.png", name) }
        func predict(_ names: String..., options: [String] = []) -> [String] {
            ["predict", train] + names.map { folder.file($0) } + ["--output", folder.file("masks")] + options
        }
        try expectRefused(predict("a.png", "A.PNG"), "would be the mask of \(folder.file("a.png")) and of ")
        try expectRefused(
            predict("a.png", "a-overlay.png", options: ["--overlay"]), "a-overlay.png: would be the overlay of ",
            "and the mask of ")
        for _ in 0..<2 {
            for kind in ["npy", "safetensors"] {
                let options = ["--overlay", "--probabilities", kind, "-q", "--threads", "1"]
                let result = try Command.run(predict("a.png", options: options))
                #expect(result.status == 0, "\(result.errors)")
            }
        }
        #expect(
            try contents(folder.file("masks")).keys.sorted() == ["a-overlay.png", "a.npy", "a.png", "a.safetensors"])
        // A mask is an ordinary file for all that.
        #expect(try readMask(path: folder.file("masks/a.png")).width == readImage(path: folder.file("a.png")).width)
    }

    @Test("Drawings, exports, genotypes, evaluations and runs spare what they are made from")
    func verbs() throws {
        try copy(train + "/genotype.json", "g.svg")
        try FileManager.default.createSymbolicLink(atPath: folder.file("l.svg"), withDestinationPath: "g.svg")
        try expectRefused(["draw", folder.file("g.svg"), "--output", folder.path + "/./g.svg"], "would overwrite")
        try expectRefused(["draw", folder.file("g.svg"), "--output", folder.file("l.svg")], "l.svg", "g.svg")
        try copy(train + "/model.safetensors", "m.onnx")
        try expectRefused(["export", folder.file("m.onnx"), "--output", folder.file("m.onnx")], "would overwrite")
        try copy(train, "run.mlpackage")
        let package = folder.file("run.mlpackage")
        try expectRefused(["export", package, "--output", package, "--size", "97x97"], "would overwrite")
        try expectRefused(
            ["export", train, "--output", work + "/../run.mlpackage", "--size", "97x97"], "no Core ML package")
        try copy(train + "/checkpoints/last.safetensors", "c.json")
        try expectRefused(["decode", folder.file("c.json"), "--output", folder.file("c.json")])

        let evaluate = ["evaluate", train, "--data", scenes, "--split", "test", "--output"]
        try expectRefused(evaluate + [scenes], "which this command reads")
        try expectRefused(evaluate + [scenes + "/masks/test"], "0000.png lies")
        try FileManager.default.createDirectory(atPath: folder.file("notes"), withIntermediateDirectories: true)
        _ = try folder.write("mine\n", to: "notes/metrics.json")
        try expectRefused(evaluate + [folder.file("notes")], "no evaluation wrote it")

        try FileManager.default.createDirectory(atPath: folder.file("own"), withIntermediateDirectories: true)
        let own = folder.file("own")
        let config = try folder.write("# Mine.\nseed: 1\n", to: "own/config.yaml")
        let run = ["--config", config, "--data", scenes, "--output", own, "--resume"]
        try expectRefused(["train", "--genotype", "deeplabv3:3"] + run, "would overwrite \(config)")
        try expectRefused(["search"] + run, "would overwrite \(config)")
        try expectRefused(["search", "--trials", "2"] + run, "would overwrite \(config)")
        let compare = try folder.write("seed: 1\n", to: "own/compare.yaml")
        try expectRefused(["compare", "deeplabv3:3", "--config", compare, "--data", scenes, "--output", own], compare)
        try expectRefused(["demo", "--output", work], "holds no demo")
    }

    @Test("An ending that says another format is refused")
    func endings() throws {
        let cases: [(arguments: [String], line: String)] = [
            (["draw", "auto-deeplab", "--output", "n.pdf"], "--output n.pdf: ends in .pdf, expected .svg or .png"),
            (["draw", "auto-deeplab", "--output", "n"], "--output n: ends in nothing, expected .svg or .png"),
            (
                ["export", train, "--output", "n.pt"],
                "--output n.pt: ends in .pt, expected .onnx, .mlpackage or .safetensors"
            ),
            (["decode", train, "--output", "n.png"], "--output n.png: ends in .png, expected .json"),
            (
                ["sample", "--count", "2", "--output", "n.json"],
                "--output n.json: names a folder, and this is a file's name"
            ),
        ]
        for (arguments, line) in cases {
            let result = try Command.run(arguments)
            #expect(result.status == 64 && result.errors == "error: \(line)\n")
        }
    }
}
