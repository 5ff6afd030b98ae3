import Datasets
import Images

extension Dataset {
    /// What becomes black and white in images of more than 8 bits: of a run that goes on what it began with.
    ///
    /// - Parameters:
    ///   - samples: The training images.
    ///   - checkpoint: The checkpoint from which the run goes on; nil for a new one.
    ///   - path: The checkpoint's file, for the message.
    ///   - noting: Takes what was found out.
    /// - Returns: The range; nil where there are no such images.
    /// - Throws: ``RunError`` about a damaged checkpoint.
    package func range(
        of samples: [Sample], from checkpoint: Checkpoint?, path: String, noting: (String) -> Void
    ) throws -> ValueRange? {
        guard let checkpoint else { return range(of: samples, noting: noting) }
        return checkpoint.metadata["range"] == nil
            ? nil : try checkpoint.value("range", as: ValueRange.self, in: path)
    }
}

extension ProgressReporter {
    /// Tells what readers have noted since the last call.
    package func report(_ notes: ReadNotes) {
        for note in notes.take() { report(.note(note)) }
    }
}
