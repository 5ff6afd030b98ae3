/// What becomes of an image's bytes before a network sees them: `(x - mean) / deviation`, channel by channel.
///
/// Colours take ``color``, which is `2 x / 255 - 1`, whatever the data; images of other numbers of channels take what is
/// measured on the training images, for in them a byte has no usual meaning.
public struct ChannelNormalization: Hashable, Codable, Sendable {
    /// The numbers of channels that an image can have.
    public static let possibleChannels = 1...32

    /// Red, green and blue: `2 x / 255 - 1`.
    public static let color = ChannelNormalization.unmeasured(channels: 3)

    /// `2 x / 255 - 1` for any number of channels.
    public static func unmeasured(channels: Int) -> ChannelNormalization {
        precondition(possibleChannels.contains(channels), "\(channels) channels")
        let halves = [Double](repeating: 127.5, count: channels)
        return ChannelNormalization(uncheckedMeans: halves, deviations: halves)
    }

    /// The mean of each channel, 0 to 255.
    public let means: [Double]
    /// What a distance of 1 is in each channel, 1 to 255: a byte at least.
    public let deviations: [Double]

    /// A mean and a deviation for each channel; nil where there are not as many of both, 1 to 32, or where one is
    /// outside of its range.
    public init?(means: [Double], deviations: [Double]) {
        guard Self.possibleChannels.contains(means.count), means.count == deviations.count,
            means.allSatisfy({ (0...255).contains($0) }), deviations.allSatisfy({ (1...255).contains($0) })
        else { return nil }
        self.init(uncheckedMeans: means, deviations: deviations)
    }

    private init(uncheckedMeans means: [Double], deviations: [Double]) {
        self.means = means
        self.deviations = deviations
    }

    /// Reads means and deviations, which must be some that an image can have.
    public init(from decoder: any Decoder) throws {
        let stored = try decoder.container(keyedBy: CodingKeys.self)
        guard
            let value = ChannelNormalization(
                means: try stored.decode([Double].self, forKey: .means),
                deviations: try stored.decode([Double].self, forKey: .deviations))
        else {
            throw DecodingError.dataCorruptedError(
                forKey: .means, in: stored, debugDescription: "no means and deviations of 1 to 32 channels")
        }
        self = value
    }

    /// The number of channels.
    public var channels: Int { means.count }

    /// What a byte of each channel is multiplied by: `1 / deviation`.
    package var factors: [Float] { deviations.map { Float(1 / $0) } }

    /// What is subtracted from it then: `mean / deviation`.
    package var shifts: [Float] { zip(means, deviations).map { Float($0 / $1) } }
}

/// Sums of the bytes of each channel and of their squares, whole numbers throughout.
package struct ChannelSums: Hashable, Sendable {
    /// Pixels.
    package private(set) var pixels = 0
    /// Sums of each channel's bytes.
    package private(set) var sums: [Int]
    /// Sums of their squares.
    package private(set) var squares: [Int]

    /// Nothing summed yet.
    package init(channels: Int) {
        sums = [Int](repeating: 0, count: channels)
        squares = sums
    }

    /// Adds an image of as many channels.
    package mutating func add(_ image: Image) {
        precondition(image.channels == sums.count, "\(image.channels) channels among \(sums.count)")
        pixels += image.width * image.height
        let channels = image.channels
        image.pixels.withUnsafeBufferPointer { pixels in
            for channel in 0..<channels {
                var (sum, square) = (0, 0)
                for index in stride(from: channel, to: pixels.count, by: channels) {
                    let value = Int(pixels[index])
                    sum += value
                    square += value * value
                }
                sums[channel] += sum
                squares[channel] += square
            }
        }
    }

    /// Adds other sums of as many channels.
    package mutating func add(_ other: ChannelSums) {
        precondition(other.sums.count == sums.count, "\(other.sums.count) channels among \(sums.count)")
        pixels += other.pixels
        for channel in sums.indices {
            sums[channel] += other.sums[channel]
            squares[channel] += other.squares[channel]
        }
    }

    /// The mean of each channel; empty where nothing was summed.
    package var means: [Double] { pixels == 0 ? [] : sums.map { Double($0) / Double(pixels) } }

    /// The standard deviation of each channel over all pixels.
    package var deviations: [Double] {
        zip(squares, means).map { max(0, Double($0) / Double(pixels) - $1 * $1).squareRoot() }
    }

    /// The normalization by these; nil where nothing was summed.
    ///
    /// A channel that varies by less than a byte, or not at all, is not spread further than its bytes can tell.
    package var normalization: ChannelNormalization? {
        ChannelNormalization(means: means, deviations: deviations.map { max(1, $0) })
    }
}
