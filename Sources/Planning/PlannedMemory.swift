/// How much memory a training takes with other batches than the one that was timed.
extension Planner {
    /// Bytes of the process with another batch: what was timed is not given back to the system, so that what less would take is
    /// reckoned, not measured.
    ///
    /// - Parameters:
    ///   - other: The other batch.
    ///   - batch: The batch that was timed.
    ///   - bytes: What it took.
    ///   - base: What the process had before, whatever the batch.
    /// - Returns: The bytes.
    package static func bytes(ofBatch other: Int, from batch: Int, bytes: Int, before base: Int) -> Int {
        let fixed = min(base, bytes)
        return fixed + (bytes - fixed) * other / batch
    }

    /// The batch, halved as often as needed, that keeps to a memory; nil where not even one image does.
    package static func batch(keeping memory: Double, from batch: Int, bytes: Int, before base: Int) -> Int? {
        sequence(first: batch) { $0 > 1 ? $0 / 2 : nil }.first {
            Double(Planner.bytes(ofBatch: $0, from: batch, bytes: bytes, before: base)) < memory
        }
    }
}
