import Images

extension ChannelNormalization {
    /// How many images are looked at, spread over the data set.
    private static let images = 1_000

    /// The means and deviations of each channel over the pixels of images: of all, or of a thousand spread over them.
    ///
    /// Every image is decoded at its full size; sums are whole numbers, so that neither their order nor the number of
    /// threads changes the result.
    ///
    /// - Parameters:
    ///   - samples: The images, one at least.
    ///   - reader: Decodes them.
    ///   - workers: Threads.
    ///   - advanced: Told how many images of how many are done.
    /// - Returns: The normalization.
    /// - Throws: `DataError` that names an image which cannot be read.
    package static func measured(
        on samples: [Sample], reader: SampleReader, workers: Int,
        advanced: (_ done: Int, _ of: Int) -> Void = { _, _ in }
    ) throws -> ChannelNormalization {
        let step = max(1, (samples.count + images - 1) / images)
        let chosen = stride(from: 0, to: samples.count, by: step).map { samples[$0] }
        let loader = OrderedPrefetcher<ChannelSums>(
            first: 0, end: chosen.count, workers: workers, depth: 2 * workers, name: "channel statistics"
        ) { index in
            var sums = ChannelSums(channels: reader.channels)
            sums.add(try reader.decode(chosen[index]).image)
            return sums
        }
        defer { loader.stop() }
        var total = ChannelSums(channels: reader.channels)
        var done = 0
        while let sums = try loader.next() {
            total.add(sums)
            done += 1
            advanced(done, chosen.count)
        }
        guard let result = total.normalization else {
            throw DataError(.missing, file: "data set", problem: "has no image to measure its channels on")
        }
        return result
    }
}
