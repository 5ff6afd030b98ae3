import Configurations
import Datasets
import Experiments
import Foundation
import Images
import Inference
import Runs
import SearchSpace
import Segmentation
import Torch

/// Every reader of files that come from outside.
enum Reader: String, CaseIterable {
    case image, bands, mask, yaml, genotype, decoder, safetensors, model, classes, list, coco
    case log, status, metrics, compare, checkpoint, search, training

    /// What libFuzzer need not find out by itself: the words of the format.
    var words: [String] {
        switch self {
        case .image, .bands, .mask:
            [
                "IHDR", "PLTE", "IDAT", "IEND", "tRNS", "\u{89}PNG\r\n\u{1A}\n", "Exif", "Adobe", "II*\0", "GIF89a",
                "VP8L",
            ]
        case .yaml: ["search", "train", "data", ": ", "- ", "&a", "*a", "---", "[", "{", "!!", "\"a\\n\": 1"]
        case .genotype:
            [
                "\"version\"", "\"layers\"", "\"path\"", "\"skips\"", "\"stem\"", "\"mobilenet-v2@4\"", "\"cell\"",
                "\"previous2\"", "\"atrous5x5\"", "\\u",
            ]
        case .decoder:
            ["\"version\"", "\"kind\"", "\"blocks\"", "\"node0\"", "\"nodes\"", "\"separable5x5Rate6\"", "[0, ", "\\u"]
        case .safetensors, .model, .checkpoint:
            ["__metadata__", "\"dtype\"", "\"shape\"", "\"data_offsets\"", "\"F32\"", "xxh64"]
        case .log, .status, .metrics, .compare:
            [
                "\"epoch\": ", "\"step\": ", "9223372036854775807", "-9223372036854775808", "1e300", "1e999", "null",
                "\"path\": [", "\"alpha\": [", "\"beta\": [", "\"loss\": ", "\"total\": ",
                "\"completed\": ",
            ]
        case .search, .training:
            [
                "position {", "loader {", "loaderA {", "loaderB {", "\"epoch\":", "\"step\":", "\"lossCount\":",
                "9223372036854775807", "-1", "1e300", "totalSteps ", "range {\"low\":0,\"high\":9}", "processes ",
                "tensor ", "network/architecture.alpha", "network/architecture.beta", " nan", " inf",
                "random/generator",
            ]
        case .coco:
            ["\"images\"", "\"annotations\"", "\"categories\"", "\"segmentation\"", "\"counts\"", "\"size\"", "\"id\""]
        case .classes, .list: ["255", "#ff0000", " ", "\t", "../", "/", ".png", "\n"]
        }
    }

    /// Reads bytes; an error is an outcome like any other, if it is one line.
    func read(_ bytes: Data) {
        do {
            switch self {
            case .image: _ = try readImage(path: file(bytes, "x"), limits: Reader.limits)
            case .bands: _ = try readImage(path: file(bytes, "x"), channels: 4, limits: Reader.limits)
            case .mask: _ = try readMask(path: file(bytes, "x"), limits: Reader.limits)
            case .yaml: _ = try Configuration.parse(yaml: String(decoding: bytes, as: UTF8.self), source: "x.yaml")
            case .genotype: _ = try Genotype(json: bytes, source: "x.json")
            case .decoder: _ = try DecoderGenotype(json: bytes, source: "x.json")
            case .safetensors: _ = try loadTensors(file(bytes, "x"))
            case .model: _ = try Model(at: file(bytes, "x"))
            case .classes: _ = try ClassTable(classesFile: file(bytes, "x"))
            case .list:
                _ = try file(bytes, "train.txt")
                _ = try Dataset(root: Reader.folder, layout: .list, classes: ClassTable(count: 2)).samples(.train)
            case .coco:
                _ = try file(bytes, "annotations/instances_train.json")
                var options = DatasetOptions()
                options.limits = Reader.limits
                let dataset = try Dataset(root: Reader.folder, layout: .coco, options: options)
                for sample in try dataset.samples(.train).prefix(4) { _ = try dataset.reader().read(sample) }
            case .log: try Reader.shown.get().show(bytes, as: Reader.paths.log)
            case .status: try Reader.shown.get().show(bytes, as: Reader.paths.status)
            case .metrics: try Reader.shown.get().show(bytes, as: Reader.paths.evaluation)
            case .compare: try Reader.shown.get().show(bytes, as: Reader.paths.comparison)
            case .checkpoint: _ = try decodeCheckpoint(file(bytes, "x"))
            case .search, .training: try Reader.base(rawValue).resume(String(decoding: bytes, as: UTF8.self))
            }
        } catch {
            let line = "\(error)"
            precondition(!line.contains("\n"), "an error of more than one line: \(line)")
        }
    }

    private static let shown = Result { try ShownRun(in: folder) }
    private static var paths: RunPaths { RunPaths(folder: folder + "/shown") }
    private static let baseSearch = Result { try BaseRun(.search, in: folder) }
    private static let baseTraining = Result { try BaseRun(.training, in: folder) }

    /// The run whose checkpoint is exchanged.
    static func base(_ name: String) throws -> BaseRun {
        try name == BaseRun.Stage.search.rawValue ? baseSearch.get() : baseTraining.get()
    }

    private static let limits = ReadLimits(pixels: 1_000_000, fileBytes: 1 << 20)

    /// A folder in memory where there is one, since every input is written to it.
    private static let folder: String = {
        let base = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        let path = "\(base)/autodeeplab-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
        for folder in ["a", "train", "annotations"] {
            try? FileManager.default.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
        }
        try? writePNG(DemoScenes(width: 24, height: 16).scene(.train, 0).image, to: path + "/train/a.png")
        for name in ["a.png", "a/b.png"] { try? Data("x".utf8).write(to: URL(fileURLWithPath: path + "/" + name)) }
        atexit { try? FileManager.default.removeItem(atPath: Reader.folder) }
        return path
    }()

    private func file(_ bytes: Data, _ name: String) throws -> String {
        let path = Reader.folder + "/" + name
        try bytes.write(to: URL(fileURLWithPath: path))
        return path
    }
}
