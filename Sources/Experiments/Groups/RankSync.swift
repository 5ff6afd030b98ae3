import Configurations
import Runs
import Segmentation
import Torch

/// Synchronises the ranks of a group between steps, so that all go on or none does; free for a process alone.
enum RankSync {
    /// A failure that all ranks know of and have come to the same step with: one has its own error, the others the
    /// rank's name.
    struct Failure: Error {
        let error: any Error
    }

    /// Does what may fail in one rank alone, such as reading its images.
    ///
    /// - Throws: In a group ``Failure``, in all ranks; else what `body` throws.
    static func all<Value>(_ body: () throws -> Value) throws -> Value {
        guard let group = ProcessGroup.current else { return try body() }
        let result = Result(catching: body)
        var hasFailed = false
        if case .failure = result { hasFailed = true }
        let failed = group.allGather([hasFailed ? 1 : 0]).firstIndex { $0 != [0] }
        guard let failed else { return try result.get() }
        if case .failure(let error) = result { throw Failure(error: error) }
        throw Failure(error: GroupError("\(group.name(of: failed)) has failed", isToldByOther: true))
    }

    /// The signal that any rank was asked to stop by, and whether any wants a checkpoint.
    static func wishes(signal: Int32?, wantsCheckpoint: Bool) -> (signal: Int32?, wantsCheckpoint: Bool) {
        guard let group = ProcessGroup.current else { return (signal, wantsCheckpoint) }
        let all = group.allGather([UInt8(clamping: signal ?? 0), wantsCheckpoint ? 1 : 0])
        return (all.map { $0[0] }.first { $0 != 0 }.map(Int32.init), all.contains { $0[1] != 0 })
    }

    /// Waits for all ranks.
    static func wait() { _ = ProcessGroup.current?.allGather([0]) }
}

extension ConfusionMatrix {
    /// The sum over all ranks; nil where one has given up.
    static func sum(_ own: ConfusionMatrix?, classes: Int) -> ConfusionMatrix? {
        guard let group = ProcessGroup.current else { return own }
        let counts = own?.counts ?? [Int](repeating: 0, count: classes * classes)
        let all = group.allReduce([own == nil ? 1 : 0] + counts)
        return all[0] > 0 ? nil : ConfusionMatrix(classes: classes, counts: Array(all.dropFirst()))
    }
}

/// Bytes that each process of a group has given to collectives, a step; nothing for a process alone.
func exchanged(since before: Int, steps: Int) -> [(String, LogValue)] {
    guard ProcessGroup.current != nil else { return [] }
    return [
        ("processes", .integer(ProcessGroup.size)), ("bytesPerStep", .integer((ProcessGroup.bytes - before) / steps)),
    ]
}

extension Configuration {
    /// Images of a step's batch that this process computes.
    ///
    /// - Throws: `ConfigurationError` where the processes cannot share it alike.
    func ownBatch(_ batch: Int, key: String) throws(ConfigurationError) -> Int {
        let size = ProcessGroup.size
        guard batch % size == 0 else {
            throw ConfigurationError(
                .contradiction,
                "\(key): \(batch) images a step cannot be shared alike by \(size) processes: make it a multiple of "
                    + "\(size)")
        }
        return batch / size
    }
}
