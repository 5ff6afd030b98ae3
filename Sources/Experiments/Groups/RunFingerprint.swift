import Configurations
import Datasets
import Foundation
import Runs
import Torch

/// What the ranks of a group must have in common before they begin.
struct RunFingerprint: Codable, Equatable {
    /// The files of the program and of its engine, by their digest, and libtorch.
    var program: String
    /// Every setting that changes what is computed, by its key.
    var settings: [String: String]
    /// Images and masks by names and sizes, the classes, and the teacher's digest.
    var data: [String: String]

    /// Settings that each rank may have for itself.
    private static let own: Set = [
        "data.root", "data.workers", "data.cacheMegabytes", "data.allowOutsideRoot", "data.tiles.cache", "threads",
        "device", "train.teacher",
    ]

    init(_ configuration: Configuration, samples: [String: [Sample]], classes: [String], teacher: String?) {
        settings = configuration.texts.filter { !RunFingerprint.own.contains($0.key) }
        data = samples.mapValues { RunFingerprint.digest(of: $0) }
        data["classes"] = classes.joined(separator: ",")
        data["teacher"] = teacher ?? "none"
        var hash = XXHash64()
        let libtorch = Engine.version
        for path in [Bundle.main.executablePath, Engine.path].compactMap({ $0 }) {
            FileManager.default.contents(atPath: path)?.withUnsafeBytes { hash.update($0) }
        }
        program = "\(packageVersion) \(hash.text) with libtorch \(libtorch)"
    }

    private static func digest(of samples: [Sample]) -> String {
        var hash = XXHash64()
        for sample in samples {
            let sizes = (sample.imageFiles + [sample.mask] + sample.furtherMasks).map { path -> Int in
                var status = stat()
                guard let path, stat(path, &status) == 0 else { return -1 }
                return Int(status.st_size)
            }
            hash.update(Array("\(sample.name) \(sizes)\n".utf8))
        }
        return "\(samples.count) images, digest \(hash.text)"
    }

    /// Compares with rank 0, and tells where this rank computes.
    ///
    /// - Throws: ``GroupError`` that names the first rank which differs, and in what; in all ranks.
    func agree(on device: Device) throws {
        guard let group = ProcessGroup.current else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let first = try JSONDecoder().decode(RunFingerprint.self, from: group.broadcast(try encoder.encode(self)))
        let difference = difference(from: first)
        do {
            try RankSync.all {
                if let difference { throw GroupError("\(group.name(of: group.rank)) has \(difference)") }
            }
        } catch let failure as RankSync.Failure {
            throw failure.error
        }
        group.selectBackend(for: device)
    }

    private func difference(from first: RunFingerprint) -> String? {
        if program != first.program {
            return "program \(program), rank 0 has \(first.program): start the same build everywhere"
        }
        if let key = settings.keys.sorted().first(where: { settings[$0] != first.settings[$0] }) {
            return "\(key)=\(settings[key] ?? "") in its configuration, rank 0 has "
                + "\(first.settings[key] ?? "none"): give all ranks the same"
        }
        if let key = data.keys.sorted().first(where: { data[$0] != first.data[$0] }) {
            return "other data than rank 0 (\(key): \(data[key] ?? "") against "
                + "\(first.data[key] ?? "")): give all ranks the same files"
        }
        return nil
    }
}
