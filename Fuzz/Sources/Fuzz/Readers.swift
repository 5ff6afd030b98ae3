import Experiments
import Foundation
import SearchSpace
import Segmentation
import Torch

/// Every reader of files that come from outside.
enum Reader: String, CaseIterable {
    case image, mask, yaml, genotype, safetensors, model, classes, list, coco

    /// What libFuzzer need not find out by itself: the words of the format.
    var words: [String] {
        switch self {
        case .image, .mask:
            [
                "IHDR", "PLTE", "IDAT", "IEND", "tRNS", "\u{89}PNG\r\n\u{1A}\n", "Exif", "Adobe", "II*\0", "GIF89a",
                "VP8L",
            ]
        case .yaml: ["search", "train", "data", ": ", "- ", "&a", "*a", "---", "[", "{", "!!"]
        case .genotype: ["\"version\"", "\"layers\"", "\"path\"", "\"cell\"", "\"previous2\"", "\"atrous5x5\"", "\\u"]
        case .safetensors, .model: ["__metadata__", "\"dtype\"", "\"shape\"", "\"data_offsets\"", "\"F32\"", "xxh64"]
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
            case .mask: _ = try readMask(path: file(bytes, "x"), limits: Reader.limits)
            case .yaml: _ = try Configuration.parse(yaml: String(decoding: bytes, as: UTF8.self), source: "x.yaml")
            case .genotype: _ = try Genotype(json: bytes, source: "x.json")
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
            }
        } catch {
            let line = "\(error)"
            precondition(!line.contains("\n"), "an error of more than one line: \(line)")
        }
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
