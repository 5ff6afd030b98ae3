/// How much coarser than the image a layer's map is.
public enum Stride: Int, CaseIterable, Comparable, Codable, Hashable, Sendable {
    /// One value for 4x4 pixels, the finest.
    case s4 = 4
    /// One value for 8x8 pixels.
    case s8 = 8
    /// One value for 16x16 pixels.
    case s16 = 16
    /// One value for 32x32 pixels, the coarsest.
    case s32 = 32

    /// The stride with this level, 0 (s = 4) to 3 (s = 32), or nil outside.
    public init?(level: Int) {
        guard Stride.allCases.indices.contains(level) else { return nil }
        self = Stride.allCases[level]
    }

    /// The level: 0 for s = 4 to 3 for s = 32.
    public var level: Int { rawValue.trailingZeroBitCount - 2 }

    /// Half of this stride, or nil at s = 4.
    public var finer: Stride? { Stride(rawValue: rawValue / 2) }

    /// Twice this stride, or nil at s = 32.
    public var coarser: Stride? { Stride(rawValue: rawValue * 2) }

    /// The strides that the next layer may have, finer first.
    public var neighbours: [Stride] { [finer, self, coarser].compactMap { $0 } }

    /// Whether the left stride is finer.
    public static func < (left: Stride, right: Stride) -> Bool { left.rawValue < right.rawValue }

    /// The size of a map of this stride for an image of `size`: ceil(size / s).
    public func size(of size: Int) -> Int { scaledSize(size, stride: rawValue) }
}

/// The size of a map of a stride (2, 4, 8, 16 or 32) for an image of `size` pixels: ceil(size / stride).
public func scaledSize(_ size: Int, stride: Int) -> Int { (size + stride - 1) / stride }

/// How the resolution changes from one layer to the next.
public enum Move: String, CaseIterable, Hashable, Sendable {
    /// To twice the resolution: the stride halves.
    case up
    /// At the same stride.
    case keep
    /// To half the resolution: the stride doubles.
    case down

    /// The move from a stride to another, or nil where they are more than one level apart.
    public init?(from source: Stride, to target: Stride) {
        switch target.level - source.level {
        case -1: self = .up
        case 0: self = .keep
        case 1: self = .down
        default: return nil
        }
    }
}
