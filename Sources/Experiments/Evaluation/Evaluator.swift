import Foundation
import Segmentation
import Torch

/// Class probabilities of one image from scores at several scales, with and without mirroring (paper 5.2).
package struct Inference {
    private let scales: [Double]
    private let flip: Bool
    private let device: Device

    package init(scales: [Double], flip: Bool, device: Device) {
        self.scales = scales
        self.flip = flip
        self.device = device
    }

    /// - Parameters:
    ///   - image: The image.
    ///   - network: Scores `[1, classes, h, w]` of images `[1, 3, h, w]`.
    /// - Returns: Mean probabilities `[1, classes, H, W]` at the image's size; with one scale and no flip the scores
    ///   themselves, whose largest is the same class.
    package func callAsFunction(_ image: Image, network: (Tensor) -> Tensor) -> Tensor {
        withoutGradients {
            let whole = image.tensor(on: device)
            if scales == [1] && !flip { return aligned(whole, network) }
            var sum: Tensor?
            for scale in scales {
                let height = max(1, Int((Double(image.height) * scale).rounded()))
                let width = max(1, Int((Double(image.width) * scale).rounded()))
                let scaled = interpolateBilinear(whole, height: height, width: width, alignCorners: false)
                for mirrored in flip ? [false, true] : [false] {
                    let scores = aligned(mirrored ? scaled.flip([3]) : scaled, network)
                    let straight = (mirrored ? scores.flip([3]) : scores).softmax(1)
                    let full = interpolateBilinear(
                        straight, height: image.height, width: image.width, alignCorners: false)
                    sum = sum.map { $0 + full } ?? full
                }
            }
            return (sum ?? whole) / Double(scales.count * (flip ? 2 : 1))
        }
    }
}

extension Inference {
    /// Scores of an image that is padded, by the mean colour, to a size of 32 n + 1, as the paper's 1024 x 2048 images
    /// are to 1025 x 2049.
    ///
    /// At other sizes a strided convolution and resizing with aligned corners disagree about where a pixel lies, by up
    /// to a stride at the far border, which thin things do not survive.
    private func aligned(_ image: Tensor, _ network: (Tensor) -> Tensor) -> Tensor {
        let height = image.size(2)
        let width = image.size(3)
        func padding(_ size: Int) -> Int { paddedSize(size) - size }
        if padding(height) == 0 && padding(width) == 0 { return network(image) }
        let padded = image.pad([0, padding(width), 0, padding(height)])
        return network(padded).narrow(2, start: 0, length: height).narrow(3, start: 0, length: width)
    }
}

/// The size that an image's side is padded to before a network sees it: the next 32 n + 1.
func paddedSize(_ size: Int) -> Int { size + (32 - (size - 1) % 32) % 32 }

extension Image {
    /// `[1, 3, H, W]`, values 2x / 255 - 1, channels last in memory.
    func tensor(on device: Device) -> Tensor {
        Tensor(normalized(), shape: [1, height, width, 3]).to(device).permute([0, 3, 1, 2])
    }
}

extension Batch {
    /// `[N, 3, H, W]`, channels last in memory.
    public func imageTensor(on device: Device = .cpu) -> Tensor {
        Tensor(images, shape: [count, height, width, 3]).to(device).permute([0, 3, 1, 2])
    }

    /// `[N, H, W]` of 64-bit integers.
    public func labelTensor(on device: Device = .cpu) -> Tensor {
        Tensor(labels, shape: [count, height, width]).to(device).to(.int64)
    }
}

extension Tensor {
    /// The strongest class of each pixel of scores `[1, classes, H, W]`, resized to the wanted size before.
    func classes(height: Int, width: Int) -> [UInt8] {
        interpolateBilinear(self, height: height, width: width, alignCorners: false).argmax(1).to(.uint8).bytes()
    }
}

/// Measures a network on labelled images, at the labels' own resolution.
struct Evaluator {
    let samples: [Sample]
    let reader: SampleReader
    let classes: Int
    let inference: Inference

    /// - Parameters:
    ///   - network: Scores of a batch of images.
    ///   - stop: Asked after every image whether to give up.
    ///   - advanced: Told how many images are done.
    /// - Returns: The confusion matrix over all images, which the processes of a group share; nil if one gave up.
    /// - Throws: An error that names the image which cannot be read.
    func callAsFunction(
        network: (Tensor) -> Tensor, stop: () -> Bool = { false }, advanced: (Int) -> Void = { _ in }
    ) throws -> ConfusionMatrix? {
        let own = try Agreement.all { try measureOwn(network: network, stop: stop, advanced: advanced) }
        return ConfusionMatrix.sum(own, classes: classes)
    }

    /// The images of this process.
    private func measureOwn(
        network: (Tensor) -> Tensor, stop: () -> Bool, advanced: (Int) -> Void
    ) throws -> ConfusionMatrix? {
        let (rank, size) = (ProcessGroup.current?.rank ?? 0, ProcessGroup.size)
        let own = size == 1 ? samples : stride(from: rank, to: samples.count, by: size).map { samples[$0] }
        let loader = EvaluationLoader(samples: own, reader: reader)
        defer { loader.stop() }
        var matrix = ConfusionMatrix(classes: classes)
        var done = 0
        while let item = try loader.next() {
            let scores = inference(item.image, network: network)
            matrix.add(
                labels: item.mask.labels,
                predictions: withoutGradients { scores.classes(height: item.mask.height, width: item.mask.width) })
            done += 1
            advanced(done)
            if stop() { return nil }
        }
        return matrix
    }
}

extension Evaluator {
    /// Measures on the validation split, on the first so many images of it (0: all), at one scale.
    init(
        validating dataset: Dataset, reader: SampleReader, limit: Int, configuration: Configuration, device: Device
    ) throws {
        let samples = try dataset.samples(Split(rawValue: configuration.data.splits.val))
        self.init(
            samples: limit > 0 ? Array(samples.prefix(limit)) : samples, reader: reader,
            classes: dataset.classes.count, inference: Inference(scales: [1], flip: false, device: device))
    }
}

/// What `evaluate` tells and `metrics.json` holds.
public struct Metrics: Codable, Equatable, Sendable {
    /// One class's part.
    public struct Class: Codable, Equatable, Sendable {
        /// The class's name.
        public var name: String
        /// Intersection over union; nil where the class is absent.
        public var iou: Double?
        /// Labelled pixels of the class.
        public var pixels: Int
    }

    /// Mean over the classes that are there.
    public var mIOU: Double
    /// Share of labelled pixels that are right.
    public var pixelAccuracy: Double
    /// Mean of the classes' own accuracies.
    public var meanAccuracy: Double
    /// Class by class.
    public var classes: [Class]
    /// Number of images.
    public var images: Int
    /// Time that it took.
    public var seconds: Double

    /// Writes `metrics.json` into a run's folder; a model file by itself has no place for it.
    ///
    /// - Parameter run: A run folder or a model file.
    /// - Throws: `FileError` where the folder cannot be written.
    public func write(toRun run: String) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: run, isDirectory: &isFolder), isFolder.boolValue else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(try encoder.encode(self), to: RunPaths(folder: run).evaluation)
    }

    init(_ matrix: ConfusionMatrix, names: [String], images: Int, seconds: Double) {
        mIOU = matrix.mIOU
        pixelAccuracy = matrix.pixelAccuracy
        meanAccuracy = matrix.meanAccuracy
        classes = names.enumerated().map { Class(name: $1, iou: matrix.iou($0), pixels: matrix.labelled($0)) }
        self.images = images
        self.seconds = seconds
    }
}
