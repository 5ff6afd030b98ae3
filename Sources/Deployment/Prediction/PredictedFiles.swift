import Datasets
import Experiments
import Foundation
import Images
import Inference
import Runs
import Torch

/// An image file, with the subfolder of the given folder that it was found in.
struct PredictedImage {
    let path: String
    let subfolder: String
    /// Further files, whose channels follow those of the first.
    var further: [String] = []

    /// All files of the image.
    var paths: [String] { [path] + further }

    /// An image file of a subfolder.
    init(path: String, subfolder: String) {
        self.path = path
        self.subfolder = subfolder
    }

    /// The files that an argument joins by `+`; nil where they are not there.
    init?(joined argument: String) {
        let parts = argument.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
        guard (2...ChannelNormalization.possibleChannels.upperBound).contains(parts.count),
            parts.allSatisfy({ FileManager.default.fileExists(atPath: $0) && !isFolder($0) })
        else { return nil }
        self.init(path: parts[0], subfolder: "")
        further = Array(parts.dropFirst())
    }

    /// Reads the image as a model sees it: colours, or as many channels as it was trained on.
    func read(for model: Model, limits: ReadLimits) throws -> DecodedImage {
        model.channels == 3 && further.isEmpty
            ? try readImage(path: path, limits: limits, range: model.range) { ($0, $1) }
            : try readBands(paths: paths, channels: model.channels, limits: limits, range: model.range)
    }

    /// Where its mask goes.
    func target(in output: String, form: ResultForm?) -> String {
        let stem = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        if let form { return output + "/" + form.path(stem: stem) }
        return output + "/" + (subfolder.isEmpty ? "" : subfolder + "/") + stem + ".png"
    }
}

/// Where everything goes that is written for the images, decided before anything is.
struct PredictedFiles {
    /// What is written for an image.
    enum Kind: String, CaseIterable { case mask, overlay, probabilities }

    private let output: String
    private let options: PredictionOptions

    /// Decides, and refuses where two results would get one name, also where only the case of letters differs.
    init(of images: [PredictedImage], in output: String, options: PredictionOptions) throws(RunError) {
        self.output = output
        self.options = options
        var owners: [String: (image: String, kind: Kind)] = [:]
        for image in images {
            for (kind, target) in targets(of: image) {
                let owner = owners.updateValue((image.path, kind), forKey: target.foldedPath)
                guard let owner else { continue }
                let both =
                    owner.kind == kind
                    ? "the \(kind) of \(owner.image) and of \(image.path)"
                    : "the \(owner.kind) of \(owner.image) and the \(kind) of \(image.path)"
                throw RunError(.changed, path: target, "would be \(both): predict them into different folders")
            }
        }
    }

    /// The files for an image.
    func targets(of image: PredictedImage) -> [(kind: Kind, path: String)] {
        Kind.allCases.compactMap { kind in target(kind, of: image).map { (kind, $0) } }
    }

    /// A file for an image; nil where none of that kind is wanted.
    func target(_ kind: Kind, of image: PredictedImage) -> String? {
        let mask = image.target(in: output, form: options.form)
        // Not by way of NSString, which would spell the folder in another way.
        let stem = mask.hasSuffix(".png") ? String(mask.dropLast(4)) : mask
        return switch kind {
        case .mask: mask
        case .overlay: options.overlay ? stem + "-overlay.png" : nil
        case .probabilities: options.probabilities.map { stem + "." + $0.rawValue }
        }
    }

    /// Refuses an image whose results would have longer names than the disk takes.
    func refuseLongNames(of image: PredictedImage) throws {
        var folder = URL(fileURLWithPath: output)
        while folder.pathComponents.count > 1, !FileManager.default.fileExists(atPath: folder.path) {
            folder.deleteLastPathComponent()
        }
        let known = pathconf(folder.path, Int32(_PC_NAME_MAX))
        let limit = known > 0 ? known : 255
        for (kind, path) in targets(of: image) {
            // Folders of such names are there already, for the image lies in one.
            let bytes = (path as NSString).lastPathComponent.utf8.count
            guard bytes > limit else { continue }
            throw DataError(
                file: image.path,
                problem: "its \(kind) would have a name of \(bytes) bytes, and the disk takes \(limit): rename it")
        }
    }

    /// Refuses to write over files that are read, and over any that no prediction wrote.
    func refuseOverwriting(_ inputs: InputFiles, images: [PredictedImage]) throws(RunError) {
        let files = images.map { targets(of: $0) }
        try (inputs + InputFiles(images.flatMap(\.paths))).refuse(files.joined().map(\.path))
        if options.ownsFolder { return }
        for files in files {
            let mask = files.first { $0.kind == .mask }?.path
            for (kind, path) in files where FileManager.default.fileExists(atPath: path) {
                if isPredicted(kind, path, mask: mask ?? "") { continue }
                throw RunError(
                    .overwrites, path: path,
                    "is there already, and no prediction wrote it", advice: .takeOtherOutputOrRemove)
            }
        }
    }

    /// The name by which images of earlier predictions are known.
    static let software = "autodeeplab predict"

    /// Whether a file was written by an earlier prediction.
    private func isPredicted(_ kind: Kind, _ path: String, mask: String) -> Bool {
        guard let head = head(of: path) else { return false }
        switch (kind, options.probabilities) {
        case (.mask, _), (.overlay, _): return pictureSize(head) != nil
        case (.probabilities, .npy): return isPredictedArray(head, path, mask: mask)
        case (.probabilities, .safetensors):
            return head.dropFirst(8).starts(
                with: Data("{\"__metadata__\":{\"software\":\"\(PredictedFiles.software)\"}".utf8))
        case (.probabilities, nil): return false
        }
    }

    /// The beginning of a file, in which it says what it is.
    private func head(of path: String) -> Data? {
        // A pipe that nobody writes to would be waited for.
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let file = FileHandle(forReadingAtPath: path)
        else { return nil }
        defer { try? file.close() }
        return try? file.read(upToCount: 4_096)
    }

    /// Width and height of a PNG that a prediction wrote; nil of any other file.
    private func pictureSize(_ head: Data) -> (width: Int, height: Int)? {
        guard head.count >= 24, head.starts(with: [0x89, 0x50, 0x4e, 0x47]),
            head.range(of: Data("tEXtSoftware\0\(PredictedFiles.software)".utf8)) != nil
        else { return nil }
        let numbers = [UInt8](head)[16..<24].map(Int.init)
        func number(_ start: Int) -> Int { numbers[start..<start + 4].reduce(0) { $0 << 8 | $1 } }
        return (number(0), number(4))
    }

    /// Whether an .npy, which has no place for a mark, is of the size and form of a predicted mask beside it.
    private func isPredictedArray(_ head: Data, _ path: String, mask: String) -> Bool {
        guard let size = self.head(of: mask).flatMap({ pictureSize($0) }) else { return false }
        var status = stat()
        guard stat(path, &status) == 0 else { return false }
        return (1...255).contains { classes in
            let header = npyHeader(shape: [classes, size.height, size.width])
            return head.starts(with: header)
                && Int(status.st_size) == header.count + 4 * classes * size.height * size.width
        }
    }
}

/// Refuses to predict into the very folder of the images, or among the pictures of a data set.
func refusePredictions(in output: String, of inputs: [String]) throws(RunError) {
    let path = resolvedPath(output)
    for input in inputs where isFolder(input) && path == resolvedPath(input) {
        throw RunError(.overwrites, path: output, "is the folder of the images themselves: name another one")
    }
    let usual: Set = [
        "images", "masks", "leftImg8bit", "gtFine", "JPEGImages", "SegmentationClass", "train", "val", "test",
    ]
    var root = URL(fileURLWithPath: path)
    while root.pathComponents.count > 1 {
        let name = root.lastPathComponent
        root.deleteLastPathComponent()
        guard usual.contains(name), let dataset = try? Dataset(root: root.path) else { continue }
        let samples = dataset.splits.flatMap { (try? dataset.samples($0)) ?? [] }
        try refuseOutput(output, amongPicturesOf: samples, root: root.path)
    }
}
