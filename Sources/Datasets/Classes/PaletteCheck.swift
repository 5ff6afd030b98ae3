import Images

/// Whether palette masks mean their colours rather than their indices: a picture program orders a palette as it likes.
///
/// What is decided holds for the whole set: the first mask with a class's colour at another index is enough.
struct PaletteCheck {
    private let classes: ClassTable
    private let origin: String
    private let isAssumed: Bool
    private let limits: ReadLimits

    /// Compares with the colours of these classes.
    ///
    /// - Parameters:
    ///   - classes: the classes.
    ///   - origin: what they were taken from.
    ///   - isAssumed: whether nobody said that they are meant: then a palette of other colours is an error.
    ///   - limits: what the readers accept.
    init(_ classes: ClassTable, from origin: String, isAssumed: Bool, limits: ReadLimits) {
        self.classes = classes
        self.origin = origin
        self.isAssumed = isAssumed
        self.limits = limits
    }

    /// What was decided where a mask contradicts the classes' colours; nil where none does.
    ///
    /// Palettes are in front of a file; pixels are decoded only where they could contradict, to see what is used.
    ///
    /// - Throws: `DataError` for a mask that contradicts and has colours which are no class's.
    func contradiction(among masks: [String]) throws -> String? {
        var harmless: Set<[Color]> = []
        for mask in masks {
            guard let (palette, used) = usedPalette(mask, harmless: &harmless) else { continue }
            if let index = used.first(where: { isForeign(palette, at: $0) }) {
                throw DataError(
                    file: mask,
                    problem:
                        "has the colour \(palette[index].hex) at index \(index) of its palette, where the names that"
                        + " are assumed (\(origin)) have \(classes.palette[index].hex) for \(classes.names[index]): name"
                        + " the classes in classes.txt or \(CVATLabelMap.name)")
            }
            guard let index = used.first(where: { contradicts(palette, at: $0) }),
                let label = classes.legend[palette[index]]
            else { continue }
            let name = label == Mask.ignored ? "ignored pixels" : classes.names[Int(label)]
            let what = "has the colour \(palette[index].hex) of \(name) at index \(index) of its palette, not \(label)"
            if let other = used.first(where: { classes.legend[palette[$0]] == nil }) {
                throw DataError(
                    file: mask,
                    problem: "\(what), and the colour \(palette[other].hex) at index \(other), which is no class's in"
                        + " \(origin): add the colour there, or say by data.masks whether `colors` or `indices` count")
            }
            return "\(mask): \(what): the colours of all masks count, not their indices (data.masks: colors)"
        }
        return nil
    }

    /// A mask's palette with the indices that its pixels have; nil where it has none that could contradict.
    private func usedPalette(_ mask: String, harmless: inout Set<[Color]>) -> (palette: [Color], used: [Int])? {
        guard let first = try? readFileBytes(mask, limit: limits.fileBytes, prefix: 64 << 10) else { return nil }
        switch try? PictureFormat(first, file: mask) {
        case .png:
            let own = pngPalette(first)
            guard let palette = own ?? pngGreys(first), !harmless.contains(palette) else { return nil }
            guard palette.count < 16 || !Self.isForShow(palette, palette.indices),
                palette.indices.contains(where: { contradicts(palette, at: $0) || isForeign(palette, at: $0) })
            else {
                harmless.insert(palette)
                return nil
            }
            guard let values = indices(mask) else { return nil }
            var isUsed = [Bool](repeating: false, count: 256)
            for value in values { isUsed[Int(value)] = true }
            let used = palette.indices.filter { isUsed[$0] }
            return own == nil && !areOfClasses(palette, used) ? nil : (palette, used)
        case .bmp, .gif, .tiff:
            // Their palettes may stand anywhere: each index has the colour of its pixels.
            guard let values = indices(mask), let raw = try? readRawMask(path: mask, limits: limits, asColors: true),
                case .colors(let pixels) = raw.values, pixels.count == 3 * values.count
            else { return nil }
            var colors = [Color?](repeating: nil, count: 256)
            for (pixel, value) in values.enumerated() where colors[Int(value)] == nil {
                colors[Int(value)] = Color(pixels[3 * pixel], pixels[3 * pixel + 1], pixels[3 * pixel + 2])
            }
            let used = colors.indices.filter { colors[$0] != nil }
            let palette = colors.map { $0 ?? Color(0, 0, 0) }
            let isGrey = used.allSatisfy { palette[$0] == Color(palette[$0].red, palette[$0].red, palette[$0].red) }
            if isGrey { return areOfClasses(palette, used) ? (palette, used) : nil }
            return Self.isForShow(palette, used) ? nil : (palette, used)
        default: return nil
        }
    }

    /// Whether greys are those of classes: two at least, each given, and not only the indices as greys.
    private func areOfClasses(_ greys: [Color], _ used: [Int]) -> Bool {
        used.count > 1 && used.allSatisfy { classes.legend[greys[$0]] != nil }
            && used.contains { Int(greys[$0].red) != $0 }
    }

    /// Whether colours are those by which programs, this one too, show indices, whatever the classes: VOC's, or ours.
    private static func isForShow(_ palette: [Color], _ used: some Collection<Int>) -> Bool {
        [Palette.voc, Palette.standard].contains { known in used.allSatisfy { palette[$0] == known[$0] } }
    }

    private func indices(_ mask: String) -> [UInt8]? {
        guard let raw = try? readRawMask(path: mask, limits: limits), case .indices(let values) = raw.values else {
            return nil
        }
        return values
    }

    /// Whether an assumed class has another colour in the palette, one that is no class's; greys tell nothing.
    private func isForeign(_ palette: [Color], at index: Int) -> Bool {
        let color = palette[index]
        return isAssumed && index < classes.count && classes.legend[color] == nil
            && !(color.red == color.green && color.green == color.blue)
    }

    private func contradicts(_ palette: [Color], at index: Int) -> Bool {
        classes.legend[palette[index]].map { Int($0) != index } ?? false
    }
}

/// The greys that the values of a grey PNG of less than 8 bits stand for, from its first bytes; nil for other files.
private func pngGreys(_ bytes: [UInt8]) -> [Color]? {
    guard bytes.count > 33, bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]), bytes[25] == 0, [1, 2, 4].contains(bytes[24])
    else { return nil }
    let last = (1 << Int(bytes[24])) - 1
    return (0...last).map { value in
        let grey = UInt8(255 * value / last)
        return Color(grey, grey, grey)
    }
}

/// The palette of a PNG of indices, from its first bytes; nil for other files.
func pngPalette(_ bytes: [UInt8]) -> [Color]? {
    guard bytes.count > 33, bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]), bytes[25] == 3 else { return nil }
    var start = 8
    while start + 8 <= bytes.count {
        let length = bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
        let (content, end) = (start + 8, start + 8 + length)
        guard length < 1 << 31, end <= bytes.count else { return nil }
        if bytes[start + 4..<content].elementsEqual("PLTE".utf8) {
            return stride(from: content, to: end - 2, by: 3).prefix(256).map {
                Color(bytes[$0], bytes[$0 + 1], bytes[$0 + 2])
            }
        }
        start = end + 4
    }
    return nil
}
