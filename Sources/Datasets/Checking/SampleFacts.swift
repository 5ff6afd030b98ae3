import Images

/// What one sample adds to a data set's report.
struct SampleFacts: Sendable {
    var width = 0
    var height = 0
    var channels = 0
    /// Bits of a sample in the image's file.
    var depth = 8
    /// The smallest and the largest value, of more than 8 bits.
    var values: ClosedRange<Int>?
    /// What should be known about the image's file.
    var notes: [ReadNote] = []
    /// The mask's file, and what should be known about it.
    var mask: (file: String, notes: [ReadNote]) = ("", [])
    /// A number that equal images share.
    var hash: UInt64 = 0
    /// Sums of the image's channels; nil where it cannot be read.
    var sums: ChannelSums?
    /// Pixels of each label; empty where there is no usable mask.
    var labels: [Int] = []
    /// What is wrong with either file.
    var problems: [DataError] = []

    /// Reads both files of a sample at full size.
    init(_ sample: Sample, reader: SampleReader) {
        do {
            let decoded = try reader.decode(sample)
            add(decoded)
        } catch {
            add(error, sample)
        }
        guard let file = sample.mask else { return }
        do {
            let read = try reader.readMask(
                sample, width: width > 0 ? width : nil, height: height > 0 ? height : nil
            ) { mask = (file, $0) }
            labels = LabelCounts.count(read)
        } catch {
            add(error, sample)
        }
    }

    private mutating func add(_ decoded: DecodedImage) {
        (width, height, channels) = (decoded.fullWidth, decoded.fullHeight, decoded.channels)
        (depth, values, notes) = (decoded.depth, decoded.values, decoded.notes)
        hash = contentHash(decoded.image.pixels, seed: UInt64(width))
        var sums = ChannelSums(channels: decoded.image.channels)
        sums.add(decoded.image)
        self.sums = sums
    }

    private mutating func add(_ error: any Error, _ sample: Sample) {
        let problem = error as? DataError ?? DataError(file: sample.image, problem: "\(error)")
        // Outlines ask the image for its size: what is wrong with it is told once.
        if !problems.contains(problem) { problems.append(problem) }
    }
}
