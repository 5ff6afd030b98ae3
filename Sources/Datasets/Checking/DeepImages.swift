import Images

/// The largest value of the colours or greys of an image with more than 8 bits a sample; nil for other images.
///
/// No more than its header is read of the others.
func largestDeepValue(_ path: String, limits: ReadLimits, asBands: Bool = false) throws -> Int? {
    let head = try readFileBytes(path, limit: limits.fileBytes, prefix: 1_024)
    switch try PictureFormat(head, file: path) {
    case .png:
        // The depth's place in the header, which is the first chunk.
        guard head.count > 24, head[24] == 16 else { return nil }
        return try largestPNGValue(readFileBytes(path, limit: limits.fileBytes), file: path, limits: limits)
    case .tiff where asBands: return try largestTIFFValue(path, limits: limits)
    case .tiff:
        let reader = try TIFFReader(path: path, limits: limits)
        guard reader.depth > 8 else { return nil }
        if case .converted = reader.kind { return nil }
        var largest = 0
        try reader.forEachRow { largest = max(largest, Int($0.max() ?? 0)) }
        return largest
    case .portable:
        guard try PortableHeader(head, file: path).pixelBytes == 2 else { return nil }
        let bytes = try readFileBytes(path, limit: limits.fileBytes)
        return try decodePortableImage(bytes, file: path, limits: limits, range: nil).values?.upperBound
    case .jpeg, .bmp, .gif, .webP: return nil
    }
}

private func largestPNGValue(_ bytes: [UInt8], file: String, limits: ReadLimits) throws -> Int? {
    let channels = try pngKind(bytes, file: file, limits: limits).channels
    var largest = 0
    let isDone = try decodePNGRows(bytes, file: file, limits: limits, range: nil, asColors: false) { row in
        for sample in 0..<row.count / 2 where channels % 2 == 1 || sample % channels < channels - 1 {
            largest = max(largest, Int(row.loadUnaligned(fromByteOffset: sample * 2, as: UInt16.self)))
        }
    }
    return isDone ? largest : try decodePNGImage(bytes, file: file, limits: limits).values?.upperBound
}

extension ValueRange {
    /// How many images are looked at, spread over the data set.
    private static let images = 100

    /// The range of a data set's images: of the smallest usual depth that holds the largest value met in a hundred of
    /// them, spread over the set.
    ///
    /// - Returns: The range, and what to say about it; nil where no image has more than 8 bits a sample.
    package static func found(
        in samples: [Sample], limits: ReadLimits, channels: Int = 3
    ) -> (range: ValueRange, note: String)? {
        var seen: Set<String> = []
        let images = samples.filter { seen.insert($0.image).inserted }
        let step = max(1, (images.count + Self.images - 1) / Self.images)
        var (largest, deep, looked) = (0, 0, 0)
        for index in stride(from: 0, to: images.count, by: step) {
            looked += 1
            // What cannot be read is told when it is used.
            let bound = samples[0].tile == nil ? limits : limits.forTiles
            let files = images[index].imageFiles
            let values = files.compactMap {
                try? largestDeepValue($0, limits: bound, asBands: channels != 3 || files.count > 1)
            }
            guard let value = values.max() else { continue }
            deep += 1
            largest = max(largest, value)
        }
        guard deep > 0 else { return nil }
        let range = ValueRange(holding: largest)
        let count = looked == images.count ? "\(deep) of \(looked) images" : "\(deep) of \(looked) images looked at"
        return (
            range,
            "\(count) have more than 8 bits a sample, with values up to \(largest): \(range.low) to \(range.high) becomes"
                + " black to white (data.range)"
        )
    }
}
