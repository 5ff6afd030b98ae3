import Foundation
import TestSupport
import Testing

/// Results go nowhere where they would take the place of somebody's own files.
@Suite("Results spare the files of others", .serialized)
struct ForeignFilesTests {
    private let folder: TemporaryFolder
    private let files = FileManager.default
    private var scenes: String { folder.file("scenes") }
    private var train: String { folder.file("train") }

    init() throws {
        folder = try TemporaryFolder()
        #expect(try Command.run("data", "demo", "--count", "10", "--output", scenes).status == 0)
        let trained = try Command.run(
            "train", "--preset", "instant", "--genotype", "deeplabv3:3", "--data", scenes, "--output", train, "--set",
            "train.iterations=2", "--set", "search.atrous=separable", "--threads", "1")
        #expect(trained.status == 0, "\(trained.errors)")
        // The genotype decides, and the run says so.
        #expect(trained.errors.contains("search.atrous: the genotype's atrous operators are dense"))
        #expect(try String(contentsOfFile: train + "/config.yaml", encoding: .utf8).contains("atrous: dense"))
    }

    /// Every file below a folder with its bytes, and every link.
    private func contents() -> [String: Data] {
        let names = files.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return Dictionary(
            uniqueKeysWithValues: names.map { ($0, files.contents(atPath: folder.file($0)) ?? Data()) })
    }

    private func expectRefused(_ arguments: [String], _ part: String) throws {
        let before = contents()
        let result = try Command.run(arguments)
        #expect(result.status == 64 && result.errors.contains(part), "\(arguments): \(result.errors)")
        #expect(contents() == before, "\(arguments)")
    }

    private func write(_ text: String, to name: String) throws {
        try files.createDirectory(
            atPath: folderName(folder.file(name)), withIntermediateDirectories: true)
        _ = try folder.write(text, to: name)
    }

    private func folderName(_ path: String) -> String { URL(fileURLWithPath: path).deletingLastPathComponent().path }

    private func evaluate(_ output: String?, worst: Int = 1) -> [String] {
        ["evaluate", train, "--data", scenes, "-q", "--threads", "1", "--set", "evaluate.worst=\(worst)"]
            + (output.map { ["--output", folder.file($0)] } ?? [])
    }

    @Test("An evaluation replaces and removes nothing but an evaluation's files")
    func evaluation() throws {
        try write("name: my project\n", to: "proj/config.yaml")
        for name in ["metrics.json", "confusion.csv", "worst/0010.png", "splits/val/confusion.csv"] {
            try write("{\"mIOU\": 0.5}", to: "proj/" + name)
            try expectRefused(evaluate("proj"), "no evaluation wrote it")
            let top = name.split(separator: "/")[0]
            try files.removeItem(atPath: folder.file("proj/\(top)"))
        }
        #expect(try Command.run(evaluate("proj", worst: 2)).status == 0)
        try write("mine", to: "proj/worst/0010.png")
        try write("mine", to: "proj/worst/7.png")
        #expect(try Command.run(evaluate("proj", worst: 1)).status == 0)
        #expect(
            try files.contentsOfDirectory(atPath: folder.file("proj/worst")).sorted() == ["0010.png", "1.png", "7.png"])
        try write("mine", to: "proj/worst/2.png")
        try expectRefused(evaluate("proj", worst: 2), "proj/worst/2.png: is there already")
    }

    @Test("Results are not written by way of links")
    func links() throws {
        try files.createDirectory(atPath: folder.file("linked/splits/val"), withIntermediateDirectories: true)
        for name in ["worst", "splits/val/worst"] {
            try files.createSymbolicLink(
                atPath: folder.file("linked/" + name), withDestinationPath: scenes + "/images/test")
            try expectRefused(evaluate("linked"), "linked/\(name): is a symbolic link")
            try files.removeItem(atPath: folder.file("linked/" + name))
        }
        for name in ["README.md", "report.html", "confusion.csv", "worst", "splits"] {
            let path = train + "/" + name
            let aside = folder.file("aside")
            let isThere = files.fileExists(atPath: path)
            if isThere { try files.moveItem(atPath: path, toPath: aside) }
            try files.createSymbolicLink(atPath: path, withDestinationPath: "model.safetensors")
            try expectRefused(evaluate(nil), "train/\(name): is a symbolic link")
            if name == "report.html" { try expectRefused(["report", train], "is a symbolic link") }
            try files.removeItem(atPath: path)
            if isThere { try files.moveItem(atPath: aside, toPath: path) }
        }
        #expect(try Command.run(evaluate(nil)).status == 0)
    }

    @Test("Nothing is written among a data set's pictures")
    func pictures() throws {
        let part = "name a folder outside of it"
        try expectRefused(evaluate("scenes/images"), part)
        try expectRefused(evaluate("scenes/masks/val/judged"), part)
        let run = ["--preset", "instant", "--data", scenes, "-q", "--threads", "1", "--output"]
        try expectRefused(["train", "--genotype", "deeplabv3:3"] + run + [scenes + "/images/train/run"], part)
        try expectRefused(["search"] + run + [scenes + "/masks/run"], part)
        try expectRefused(["predict", train, scenes + "/images/val", "--output", scenes + "/images/train/new"], part)
        try expectRefused(["predict", train, scenes + "/images/val", "--output", scenes + "/images/val/new"], part)
        try expectRefused(["predict", train, scenes + "/images/val/0000.png", "--output", scenes + "/masks/new"], part)
        let beside = try Command.run(
            "predict", train, scenes + "/images/val", "--output", scenes + "/predicted", "-q", "--threads", "1")
        #expect(beside.status == 0, "\(beside.errors)")
        // Among pictures of no data set a folder inside will do: what is in it is no image the next time.
        try files.createDirectory(atPath: folder.file("plain"), withIntermediateDirectories: true)
        try files.copyItem(atPath: scenes + "/images/val/0000.png", toPath: folder.file("plain/a.png"))
        for _ in 0..<2 {
            let inside = try Command.run(
                "predict", train, folder.file("plain"), "--output", folder.file("plain/out"), "-q", "--threads", "1")
            #expect(inside.status == 0, "\(inside.errors)")
            #expect(try files.contentsOfDirectory(atPath: folder.file("plain/out")) == ["a.png"])
        }
    }

    @Test("Somebody's arrays are not taken for probabilities")
    func arrays() throws {
        let image = scenes + "/images/val/0000.png"
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
        let array =
            Data([0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0]) + Data(header.utf8)
            + Data(repeating: 32, count: 117 - header.utf8.count) + Data([10]) + Data(count: 24)
        let json = Array("{\"probabilities\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}".utf8)
        let tensors = Data([UInt8(json.count)] + [UInt8](repeating: 0, count: 7) + json + [0, 0, 0, 0])
        for (kind, bytes) in [("npy", array), ("safetensors", tensors)] {
            let output = folder.file("out-" + kind)
            let predict = [
                "predict", train, image, "--output", output, "--probabilities", kind, "-q", "--threads", "1",
            ]
            try files.createDirectory(atPath: output, withIntermediateDirectories: true)
            let path = output + "/0000.\(kind)"
            try bytes.write(to: URL(fileURLWithPath: path))
            try expectRefused(predict, "0000.\(kind): is there already")
            try files.removeItem(atPath: path)
            for _ in 0..<2 { #expect(try Command.run(predict).status == 0) }
            try bytes.write(to: URL(fileURLWithPath: path))
            try expectRefused(predict, "0000.\(kind): is there already")
        }
    }

    @Test("A stopped prediction says how far it came and leaves nothing half written")
    func stopped() throws {
        let images = folder.file("many")
        try files.createDirectory(atPath: images, withIntermediateDirectories: true)
        for number in 0..<400 {
            try files.copyItem(atPath: scenes + "/images/val/0000.png", toPath: images + "/\(1_000 + number).png")
        }
        let output = folder.file("masks")
        try files.createDirectory(atPath: output, withIntermediateDirectories: true)
        let command = try StartedCommand(
            ["predict", train, images, "--output", output, "--probabilities", "npy", "-q", "--threads", "1"],
            errorFile: folder.file("errors"))
        command.waitForFile(output + "/1000.npy")
        let (status, lines) = try command.end(by: SIGTERM)
        #expect(status == 143)
        #expect(lines.contains { $0.hasPrefix("error: stopped after ") && $0.hasSuffix(" of 400 images") }, "\(lines)")
        #expect(try files.contentsOfDirectory(atPath: output).allSatisfy { !$0.hasPrefix(".") })
    }
}
