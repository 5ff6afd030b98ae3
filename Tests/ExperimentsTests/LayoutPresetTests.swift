import Configurations
import Datasets
import Experiments
import Foundation
import Images
import Runs
import SearchSpace
import Segmentation
import TestSupport
import Testing

/// Search and training begin on a small sample of each layout by the name of its preset alone.
///
/// Both are set up as ever: data, loaders, networks, optimizers and run folder; the steps themselves are too large for
/// a test at the paper's sizes.
@Suite("Layouts by preset", .serialized)
struct LayoutPresetTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ name: String, label: UInt8, asImage: Bool) throws {
        let path = folder.path + "/data/" + name
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        if asImage {
            try writePNG(Image(width: 64, height: 48, color: Color(label, 9, 9)), to: path)
        } else {
            try writePNG(Mask(width: 64, height: 48, label: label), palette: [], to: path)
        }
    }

    private func write(text: String, to name: String) throws {
        let url = URL(fileURLWithPath: folder.path + "/data/" + name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: url, atomically: true, encoding: .utf8)
    }

    /// Two images for training and one for validation, as the layout has them.
    private func makeSample(_ preset: String) throws {
        for (split, name, label) in [("train", "a", UInt8(7)), ("train", "b", 8), ("val", "c", 11)] {
            switch preset {
            case "cityscapes":
                try write("leftImg8bit/\(split)/ulm/\(name)_leftImg8bit.png", label: label, asImage: true)
                try write("gtFine/\(split)/ulm/\(name)_gtFine_labelIds.png", label: label, asImage: false)
            case "voc":
                try write("VOC2012/JPEGImages/\(name).png", label: label, asImage: true)
                try write("VOC2012/SegmentationClass/\(name).png", label: label, asImage: false)
            case "ade20k":
                let folder = split == "train" ? "training" : "validation"
                try write("images/\(folder)/\(name).png", label: label, asImage: true)
                try write("annotations/\(folder)/\(name).png", label: label, asImage: false)
            case "coco":
                try write("\(split)2017/\(name).png", label: label, asImage: true)
            default:
                try write("\(split)/\(name).png", label: label, asImage: true)
                try write("\(split)annot/\(name).png", label: label, asImage: false)
            }
        }
        if preset == "voc" {
            try write(text: "a\nb\n", to: "VOC2012/ImageSets/Segmentation/train.txt")
            try write(text: "c\n", to: "VOC2012/ImageSets/Segmentation/val.txt")
        }
        if preset == "camvid-small" {
            try write(text: "train/a.png trainannot/a.png\ntrain/b.png trainannot/b.png\n", to: "train.txt")
            try write(text: "val/c.png valannot/c.png\n", to: "val.txt")
        }
        guard preset == "coco" else { return }
        for (split, names) in [("train", ["a", "b"]), ("val", ["c"])] {
            let images = names.enumerated().map { "{\"id\": \($0), \"file_name\": \"\($1).png\"}" }
            let objects = names.indices.map {
                "{\"image_id\": \($0), \"category_id\": 1, \"iscrowd\": 0, \"segmentation\": [[0, 0, 60, 0, 60, 40, 0, 40]]}"
            }
            try write(
                text: "{\"images\": [\(images.joined(separator: ","))], \"annotations\":"
                    + " [\(objects.joined(separator: ","))], \"categories\": [{\"id\": 1, \"name\": \"dog\"}]}",
                to: "annotations/instances_\(split)2017.json")
        }
    }

    @Test(
        "A sample of the layout, the preset, nothing else",
        arguments: ["cityscapes", "voc", "ade20k", "camvid-small", "coco"])
    func begins(preset: String) throws {
        try makeSample(preset)
        var configuration = try Configuration.resolve(preset: preset)
        configuration.data.root = folder.path + "/data"
        let search = try Search(
            configuration, folder: RunFolder(at: folder.path + "/search", resume: false), reporter: SilentReporter(),
            interruption: Interruption())
        withExtendedLifetime(search) {}
        let genotype = try KnownDesign.autoDeepLab.genotype(layers: 12)
        let training = try Training(
            genotype, configuration, folder: RunFolder(at: folder.path + "/train", resume: false),
            reporter: SilentReporter(), interruption: Interruption())
        withExtendedLifetime(training) {}
        // The first batch of the training, by the same settings.
        let dataset = try configuration.data.dataset()
        let loader = try BatchLoader(
            samples: dataset.samples(Split(rawValue: configuration.data.splits.train)),
            reader: configuration.data.trainingReader(dataset, resize: configuration.train.resize),
            augmentation: configuration.train.augmentation,
            options: BatchLoader.Options(batchSize: configuration.train.batch, seed: 0))
        let batch = try loader.next()
        #expect(batch.count == configuration.train.batch && Set(batch.indices) == [0, 1])
        #expect(Set(batch.labels).count > 1)
    }
}
