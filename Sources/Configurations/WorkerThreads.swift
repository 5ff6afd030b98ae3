import Foundation

extension Configuration {
    /// Threads to compute with: as set, else as OMP_NUM_THREADS says to all that libtorch uses, else one for each core.
    package var workerThreads: Int {
        if threads > 0 { return threads }
        let wanted = ProcessInfo.processInfo.environment["OMP_NUM_THREADS"].flatMap { Int($0) } ?? 0
        return (1...4_096).contains(wanted) ? wanted : ProcessInfo.processInfo.activeProcessorCount
    }
}
