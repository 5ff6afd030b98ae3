import Configurations
import Datasets
import Foundation
import Images
import Runs
import Torch

/// What `doctor` finds out about this machine and, where one is configured, about a data set.
package struct DoctorReport: Encodable, Sendable {
    /// Versions, processor, memory.
    package var environment: Environment
    /// Devices that libtorch can use here: `cpu`, `cuda:0`.
    package var devices: [String]
    /// Why no NVIDIA GPU can be used; nil where one can.
    package var cudaProblem = Device.cudaUnavailableReason
    /// Why NCCL, which adds up among GPUs, does not do so on one alone; nil where it does, or where there is no GPU.
    package var ncclProblem: String?
    /// Bytes of memory that programs can still have; nil where the system does not tell.
    package var availableMemory: Int?
    /// What became of the configured data set; nil where none is configured.
    package var data: DataReport?

    /// A data set as far as `doctor` looks: the lists of its splits, and one sample of each.
    package struct DataReport: Encodable, Sendable {
        /// The folder.
        package var root: String
        /// Number of samples of each split that could be read.
        package var images: [String: Int] = [:]
        /// The first fault found; nil where all is well.
        package var problem: String?
    }

    /// Looks around.
    ///
    /// - Parameter configuration: Names the data set, the device and the threads.
    package init(examining configuration: Configuration) {
        let device = (try? configuration.device.device()).map(\.description) ?? "\(configuration.device) (absent)"
        environment = Environment(threads: configuration.workerThreads, device: device)
        devices = Device.Kind.allCases.flatMap { kind in
            (0..<Device.count(of: kind)).map { Device(kind, index: $0).description }
        }
        do throws(TorchError) {
            if cudaProblem == nil { try ProcessGroup.checkNCCL(on: Device(.cuda)) }
        } catch {
            ncclProblem = error.description
        }
        availableMemory = ProcessMemory.available
        data = configuration.data.root.isEmpty ? nil : DoctorReport.examine(configuration.data)
    }

    private static func examine(_ data: DataConfiguration) -> DataReport {
        var report = DataReport(root: data.root)
        do {
            let dataset = try data.dataset()
            let reader = dataset.reader()
            // The test split is not needed for search and training, and some data sets have none.
            for (name, isNeeded) in [(data.splits.train, true), (data.splits.val, true), (data.splits.test, false)] {
                let split = Split(rawValue: name)
                do {
                    let samples = try dataset.samples(split)
                    if let first = samples.first { _ = try reader.read(first) }
                    report.images[name] = samples.count
                } catch let error as DataError where !isNeeded && error.kind == .missing {
                    continue
                }
            }
        } catch {
            report.problem = "\(error)"
        }
        return report
    }
}
