import Foundation
import Segmentation
import Torch

/// An image file, with the subfolder of the given folder that it was found in.
struct PredictedImage {
    let path: String
    let subfolder: String

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

    /// Refuses to write over files that are read, and over any that no prediction wrote.
    func refuseOverwriting(_ inputs: InputFiles, images: [PredictedImage]) throws(RunError) {
        let files = images.flatMap { targets(of: $0) }
        try (inputs + InputFiles(images.map(\.path))).refuse(files.map(\.path))
        if options.ownsFolder { return }
        for (kind, path) in files where FileManager.default.fileExists(atPath: path) && !isPredicted(kind, path) {
            throw RunError(
                .overwrites, path: path,
                "is there already, and no prediction wrote it: name another --output, or take it away")
        }
    }

    /// The name by which images of earlier predictions are known.
    static let software = "autodeeplab predict"

    /// Whether a file was written by an earlier prediction.
    private func isPredicted(_ kind: Kind, _ path: String) -> Bool {
        guard let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        guard let head = try? file.read(upToCount: 4_096) else { return false }
        if kind != .probabilities {
            return head.starts(with: [0x89, 0x50, 0x4e, 0x47])
                && head.range(of: Data("tEXtSoftware\0\(PredictedFiles.software)".utf8)) != nil
        }
        switch options.probabilities {
        case .npy: return head.starts(with: [0x93] + Array("NUMPY".utf8))
        case .safetensors: return head.dropFirst(8).starts(with: Data("{\"probabilities\":".utf8))
        case nil: return false
        }
    }
}
