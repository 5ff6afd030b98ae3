import Configurations
import Datasets
import Foundation
import Images
import Inference
import Networks
import Runs
import SearchSpace
import Torch

/// A trained network whose scores a training learns from beside the labels.
struct Teacher {
    /// How its scores count.
    let loss: DistillationLoss
    /// Of its weights and of all that its model file says besides.
    let digest: String
    private let model: Model
    private let name: String

    /// The teacher that a configuration names; nil where it names none.
    ///
    /// - Parameters:
    ///   - configuration: How is trained.
    ///   - classes: The classes of the data.
    ///   - range: The values of the data's 16-bit images.
    ///   - normalization: What becomes of the images' bytes before networks see them.
    ///   - device: Where the training computes.
    /// - Throws: `FileError` for a file that is missing or no model, `ConfigurationError` where its classes or the size
    ///   or values at which it sees images are not the training's.
    init?(
        _ configuration: Configuration, classes: ClassTable, range: ValueRange?, normalization: ChannelNormalization,
        device: Device
    ) throws {
        let train = configuration.train
        let path = train.teacher
        if path.isEmpty { return nil }
        let model: Model
        do {
            model = try Model(at: path, device: device)
        } catch let error as FileError where error.kind == .missing {
            throw FileError(.missing, path: path, reason: "train.teacher: \(error.reason)")
        }
        let difference =
            model.classes.difference(from: classes)
            ?? model.scaling.difference(from: configuration.data.scaling(resize: train.resize))
            ?? model.range.flatMap { own in range.flatMap { own.difference(from: $0) } }
            ?? model.normalization.difference(from: normalization)
        if let difference {
            throw ConfigurationError(.contradiction, "train.teacher: \(path) \(difference)")
        }
        self.model = model
        loss = DistillationLoss(
            weight: train.distillation.weight, temperature: train.distillation.temperature,
            classWeights: train.distillation.classWeights
                ? try train.weights(classes: classes.count, device: device) : nil)
        digest = try model.contentDigest
        name = Teacher.name(of: path)
    }

    /// What a model is called where the place of its file is nobody's business.
    static func name(of path: String) -> String {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        return url.lastPathComponent == "model.safetensors"
            ? url.deletingLastPathComponent().lastPathComponent : url.lastPathComponent
    }

    /// Its scores `[N, C, H, W]` of normalised images `[N, channels, H, W]`, in evaluation.
    ///
    /// Crops are padded as images are before they are evaluated, to 32 n + 1 pixels, at which its scores lie where the
    /// pixels do.
    func scores(of images: Tensor) -> Tensor {
        let (height, width) = (images.size(2), images.size(3))
        let (padded, paddedWidth) = (paddedSize(height), paddedSize(width))
        if padded == height && paddedWidth == width { return model.network(images, mode: .evaluation) }
        return model.network(images.pad([0, paddedWidth - width, 0, padded - height]), mode: .evaluation)
            .narrow(2, start: 0, length: height).narrow(3, start: 0, length: width)
    }

    /// Refuses to go on with another teacher than a run had.
    ///
    /// - Throws: `RunError` that says so.
    static func check(_ teacher: Teacher?, against checkpoint: Checkpoint, _ folder: RunFolder) throws(RunError) {
        guard checkpoint.metadata["teacher"] == teacher?.digest else {
            throw RunError(
                .changed, path: folder.path,
                "the run's teacher was another model than \(teacher?.name ?? "none") is now: put it back, or start a "
                    + "new run")
        }
    }

    /// Measures both networks on this machine and keeps the figures beside the trained one.
    ///
    /// - Parameters:
    ///   - folder: The run's folder, with the trained model.
    ///   - configuration: The size of the image, that of the crops, and the threads.
    /// - Returns: A line about both times.
    /// - Throws: An error that names the file which cannot be read or written.
    func measure(in folder: RunFolder, _ configuration: Configuration) throws -> String {
        let crop = configuration.train.crop
        func side(_ model: Model) -> TeacherRecord.Side {
            let cost = model.network.description.cost(height: crop.height, width: crop.width)
            let times = model.milliseconds(height: crop.height, width: crop.width, repetitions: 5)
            return .init(
                parameters: cost.parameters, multiplyAdds: cost.multiplyAdds, milliseconds: times[times.count / 2])
        }
        let record = TeacherRecord(
            name: name, digest: digest, height: crop.height, width: crop.width,
            threads: configuration.workerThreads, device: "\(model.device)", teacher: side(model),
            trained: side(try Model(at: folder.paths.folder, device: model.device)))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(try encoder.encode(record), to: folder.paths.teacher, below: folder.paths.folder)
        func text(_ side: TeacherRecord.Side) -> String { String(format: "%.1f ms", side.milliseconds) }
        return "\(text(record.trained)) an image of \(crop.height)x\(crop.width), where the teacher takes "
            + text(record.teacher)
    }
}

/// What a run's folder keeps of its teacher.
struct TeacherRecord: Codable {
    /// One of the two networks.
    struct Side: Codable {
        let parameters: Int
        let multiplyAdds: Int
        /// The median of a few passes over one image.
        let milliseconds: Double
    }

    let name: String
    let digest: String
    let height: Int
    let width: Int
    let threads: Int
    let device: String
    let teacher: Side
    let trained: Side
}

extension Model {
    /// A digest of the weights and of what the model file says besides.
    fileprivate var contentDigest: String {
        get throws {
            var hash = XXHash64()
            for (key, value) in try metadata.sorted(by: { $0.key < $1.key }) {
                hash.update(Array("\(key)=\(value)\n".utf8))
            }
            for (name, tensor) in network.store.state.sorted(by: { $0.key < $1.key }) {
                hash.update(Array("\(name) \(tensor.shape)\n".utf8))
                tensor.floats().withUnsafeBytes { hash.update($0) }
            }
            return hash.text
        }
    }
}

extension ClassTable {
    /// How a teacher's classes are not those of the data; nil where they are.
    fileprivate func difference(from data: ClassTable) -> String? {
        guard count == data.count else {
            return "has \(count) classes, the data \(data.count): take a teacher of the same classes"
        }
        guard let place = names.indices.first(where: { names[$0] != data.names[$0] }) else { return nil }
        return "calls class \(place) `\(names[place])`, the data `\(data.names[place])`: take a teacher of the same "
            + "classes in the same order"
    }
}

extension ImageScaling {
    /// How a teacher sees images at another size than a training; nil where it is the same.
    fileprivate func difference(from training: ImageScaling) -> String? {
        func words(_ scaling: ImageScaling) -> String {
            scaling.longerSide.map { "brought to a longer side of \($0)" } ?? "resized by \(scaling.factor)"
        }
        guard words(self) != words(training) else { return nil }
        return "sees images \(words(self)), this training sees them \(words(training)): make train.resize and "
            + "data.longerSide those of the teacher, or take another"
    }
}

extension ValueRange {
    /// How a teacher sees the values of images of 16 bits unlike a training; nil where they are the same.
    fileprivate func difference(from data: ValueRange) -> String? {
        guard self != data else { return nil }
        return "sees values from \(low) to \(high), this training those from \(data.low) to \(data.high): take "
            + "data.range=[\(low), \(high)]"
    }
}

extension ChannelNormalization {
    /// How a teacher sees channels unlike a training; nil where it sees them alike.
    fileprivate func difference(from training: ChannelNormalization) -> String? {
        guard self != training else { return nil }
        guard channels == training.channels else {
            return "sees \(channels) channels, and data.channels is \(training.channels): take another teacher"
        }
        return "normalises channels by other means and deviations than those of these training images: take a teacher"
            + " that was trained on the same images"
    }
}
