import Configurations
import Datasets
import Runs
import Segmentation

extension ClassBalance {
    /// Reads the masks of the training images, with progress.
    init(
        samples: [Sample], reader: SampleReader, _ configuration: Configuration, reporter: any ProgressReporter
    ) throws {
        reporter.report(.began(stage: "class balance", unit: "mask", total: samples.count))
        try self.init(samples: samples, reader: reader, workers: configuration.workerThreads) {
            reporter.report(.advanced(Advance(completed: $0)))
        }
        reporter.report(.ended(stage: "class balance"))
    }
}
