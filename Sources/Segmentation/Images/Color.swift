/// An opaque colour of 8 bits a channel.
public struct Color: Hashable, Codable, Sendable {
    /// Red, 0 to 255.
    public var red: UInt8
    /// Green, 0 to 255.
    public var green: UInt8
    /// Blue, 0 to 255.
    public var blue: UInt8

    /// Makes a colour of its three channels.
    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// Reads `#rrggbb`; nil for anything else.
    public init?(hex: some StringProtocol) {
        guard hex.utf8.count == 7, hex.first == "#", hex.dropFirst().allSatisfy(\.isHexDigit),
            let value = UInt32(hex.dropFirst(), radix: 16)
        else { return nil }
        self.init(UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255))
    }

    /// The colour as `#rrggbb`.
    public var hex: String {
        let digits = String(UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue), radix: 16)
        return "#" + String(repeating: "0", count: 6 - digits.count) + digits
    }
}

/// Colours for classes that were given none.
public enum Palette {
    /// PASCAL VOC's colours: the bits of the index dealt to the channels' high bits, all 256 distinct.
    public static let standard: [Color] = (0..<256).map { index in
        var (red, green, blue) = (0, 0, 0)
        for bit in 0..<3 {
            let digit = index >> (3 * bit)
            red |= (digit & 1) << (7 - bit)
            green |= (digit >> 1 & 1) << (7 - bit)
            blue |= (digit >> 2 & 1) << (7 - bit)
        }
        return Color(UInt8(red), UInt8(green), UInt8(blue))
    }
}
