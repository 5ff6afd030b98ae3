extension Image {
    /// Whether channels can be shown of images that have so many: none, one or three of them, counted from 0.
    package static func canShow(_ chosen: [Int], of channels: Int) -> Bool {
        [0, 1, 3].contains(chosen.count) && chosen.allSatisfy { (0..<channels).contains($0) }
    }

    /// The image as a picture that can be looked at: itself where it has 3 channels and nothing else is chosen.
    ///
    /// - Parameter chosen: The channels, from 0, that are shown as red, green and blue, or the one that is shown as grey;
    ///   none chooses the first three, and the first of one or two.
    /// - Returns: An image of 3 channels of the same size.
    package func shown(_ chosen: [Int] = []) -> Image {
        if channels == 3 && (chosen.isEmpty || chosen == [0, 1, 2]) { return self }
        let usual = channels >= 3 ? [0, 1, 2] : [0]
        let sources = chosen.isEmpty ? usual : chosen
        precondition(Image.canShow(chosen, of: channels), "channels \(chosen) of \(channels) shown")
        let colors = (0..<3).map { sources[sources.count == 1 ? 0 : $0] }
        let result = [UInt8](unsafeUninitializedCapacity: width * height * 3) { buffer, count in
            for pixel in 0..<width * height {
                for (place, channel) in colors.enumerated() {
                    buffer[pixel * 3 + place] = pixels[pixel * channels + channel]
                }
            }
            count = width * height * 3
        }
        return Image(width: width, height: height, pixels: result)
    }
}
