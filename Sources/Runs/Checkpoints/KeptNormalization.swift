import Configurations
import Datasets
import Foundation
import Images

extension Dataset {
    /// What becomes of images' bytes before networks see them: of a run that goes on what it began with.
    ///
    /// Colours are `2 x / 255 - 1`; of other channels means and deviations are measured on the training images.
    ///
    /// - Parameters:
    ///   - samples: The training images.
    ///   - range: What becomes black and white in images of more than 8 bits.
    ///   - checkpoint: The checkpoint from which the run goes on; nil for a new one.
    ///   - path: The checkpoint's file, for the message.
    ///   - workers: Threads that decode.
    ///   - reporter: Is told of the progress, and what was measured.
    /// - Returns: The normalization, of as many channels as the images have.
    /// - Throws: `DataError` about an image that cannot be read; ``RunError`` about a damaged checkpoint.
    package func normalization(
        of samples: [Sample], range: ValueRange?, from checkpoint: Checkpoint?, path: String, workers: Int,
        reporter: any ProgressReporter
    ) throws -> ChannelNormalization {
        if channels == 3 { return .color }
        if let checkpoint {
            let saved = checkpoint.metadata["configuration"].flatMap {
                try? Configuration.parse(yaml: $0, source: "checkpoint")
            }
            // That a run began with other channels is told where all settings are compared.
            guard saved?.data.channels == channels else { return .unmeasured(channels: channels) }
            let kept = try checkpoint.value("normalization", as: ChannelNormalization.self, in: path)
            guard kept.channels == channels else {
                throw RunError(
                    .damaged, path: path, "means of \(kept.channels) channels in the checkpoint, not of \(channels)")
            }
            return kept
        }
        let stage = "measuring channels"
        var isShown = false
        defer { if isShown { reporter.report(.ended(stage: stage)) } }
        let found = try ChannelNormalization.measured(
            on: samples, reader: reader(range: range), workers: workers
        ) { done, total in
            guard total >= 100 else { return }
            if !isShown { reporter.report(.began(stage: stage, unit: "image", total: total)) }
            isShown = true
            reporter.report(.advanced(Advance(completed: done)))
        }
        func list(_ values: [Double]) -> String { values.map { String(format: "%.1f", $0) }.joined(separator: ", ") }
        reporter.report(
            .note(
                "\(root): \(channels) channels with means \(list(found.means)) and deviations \(list(found.deviations)) of"
                    + " 255, by which images are normalised"))
        return found
    }
}
