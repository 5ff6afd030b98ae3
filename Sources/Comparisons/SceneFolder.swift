import Foundation
import Runs
import Segmentation

extension DemoScenes {
    /// Where scenes are written before they get their places; hidden, so that no reader of data sets looks there.
    private static let unfinished = ".autodeeplab-scenes"
    /// What is moved from there, in this order: without images there is no data set yet.
    private static let parts = ["classes.txt", "masks", "images"]

    /// Writes all scenes into a folder that is new or empty: a folder with images has all of them.
    ///
    /// What a killed process left there is made anew.
    ///
    /// - Parameter folder: The data set's folder.
    /// - Throws: `RunError` where the folder holds something else, or another process is writing there; `DataError`
    ///   where the scenes cannot be written, of which nothing is left then.
    package func write(toEmpty folder: String) throws {
        let unfinished = folder + "/" + Self.unfinished
        let lock = openFolder(unfinished)
        defer { if lock >= 0 { close(lock) } }
        if lock >= 0 {
            guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
                throw RunError(.locked, path: folder, "another process is writing scenes here")
            }
            try removeAbandoned(in: folder)
        }
        try requireEmptyFolder(folder)
        let made = try RunFolder.makeFolder(folder)
        guard mkdir(unfinished, 0o777) == 0 else { throw RunError.cannotWrite(unfinished) }
        let held = openFolder(unfinished)
        defer { if held >= 0 { close(held) } }
        flock(held, LOCK_EX)
        var moved: [String] = []
        do {
            try write(to: unfinished)
            for part in Self.parts {
                guard rename(unfinished + "/" + part, folder + "/" + part) == 0 else {
                    throw RunError.cannotWrite(folder + "/" + part)
                }
                moved.append(part)
            }
            rmdir(unfinished)
        } catch {
            for name in moved + [Self.unfinished] { try? FileManager.default.removeItem(atPath: folder + "/" + name) }
            for folder in made.reversed() { rmdir(folder) }
            throw error
        }
    }

    /// Removes what a killed process has written: what it had moved is missing where it had been.
    private func removeAbandoned(in folder: String) throws {
        let files = FileManager.default
        let names = try files.contentsOfDirectory(atPath: folder).filter { $0 != Self.unfinished }
        let isOurs = names.allSatisfy {
            Self.parts.contains($0) && fileType(folder + "/" + Self.unfinished + "/" + $0) == nil
        }
        guard isOurs else { return }
        for name in names + [Self.unfinished] { try files.removeItem(atPath: folder + "/" + name) }
    }

    private func openFolder(_ path: String) -> Int32 { open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
}
