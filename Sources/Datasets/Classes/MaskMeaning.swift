import Images

/// What the values in a data set's masks were decided to mean: what a run and its model remember.
public struct MaskMeaning: Hashable, Codable, Sendable {
    /// The form; `auto` only where the layout itself says what values mean.
    public var form: MaskForm
    /// Values that mean ignored pixels, besides 255.
    public var ignore: [Int]
    /// Values that mean another class, or 255; all others stand for themselves.
    public var map: [Int: Int]

    /// A meaning as it was decided before.
    public init(form: MaskForm, ignore: [Int] = [], map: [Int: Int] = [:]) {
        self.form = form
        self.ignore = ignore
        self.map = map
    }

    /// Whether masks of so many classes can have this meaning.
    package func isPossible(classes: Int) -> Bool {
        (ignore + map.keys).allSatisfy { (0...65_535).contains($0) }
            && map.values.allSatisfy { (0..<classes).contains($0) || $0 == Mask.ignored }
    }
}

/// The values of masks, gathered until it is sure what they mean.
///
/// A value from 1 up to the last class stands for itself, and then so do all. Where there is none, the masks may be
/// greys that were made to be looked at: 0 and 255 (or 65535) for two classes, as many evenly spread greys as there are
/// classes, or the greys of the class file. Nobody can tell by a part of the masks: those of an object that is rare
/// begin with many that are empty.
struct MaskSurvey {
    private let classes: ClassTable
    /// Values that the user has given a meaning.
    private let settled: Set<UInt16>
    private var values: Set<UInt16> = []
    /// Masks of indices or greys, masks of greys stored as colours, masks of colours.
    private var counts = (indices: 0, grey: 0, colored: 0)

    init(classes: ClassTable, ignoring: [Int]) {
        self.classes = classes
        settled = Set(ignoring.compactMap { UInt16(exactly: $0) })
    }

    /// Takes what one mask holds.
    mutating func add(_ mask: MaskValues) {
        switch mask.kind {
        case .indices: counts.indices += 1
        case .grey: counts.grey += 1
        case .colored: counts.colored += 1
        }
        values.formUnion(mask.values)
    }

    /// Whether further masks can change nothing.
    var isDecided: Bool {
        guard counts.indices > 0 else { return false }
        return counts.colored > 0 || open.contains { $0 > 0 && $0 < classes.count } || open.count > classes.count + 1
    }

    /// All values but those that the user has given a meaning.
    private var open: Set<UInt16> { values.subtracting(settled) }

    /// What was found to be so: the form, the classes of values, and what to say of it; nil for plain indices.
    func finding(root: String) -> (form: MaskForm, map: [Int: Int], note: String?) {
        let masks = counts.indices + counts.grey + counts.colored
        if counts.indices == 0, counts.colored + counts.grey > 0, !classes.legend.isEmpty {
            return (
                .colors, [:],
                "\(root): all \(masks) masks are read by the colours of the class file (data.masks: colors)"
            )
        }
        guard counts.colored == 0, !isDecided, let classOfValue = greys else { return (.indices, [:], nil) }
        let shown = classOfValue.filter { $0.key > 0 || $0.value > 0 }.sorted { $0.key < $1.key }
            .map { "\($0.key) is read as \(classes.names[$0.value])" }.joined(separator: ", ")
        let all = values.sorted().map(String.init).joined(separator: ", ")
        let basis = "\(root): all \(masks) masks together hold \(all) alone: \(shown)"
        if classes.count == 2, classOfValue == [0: 0, 255: 1] || classOfValue == [0: 0, 65_535: 1] {
            return (.binary, [:], basis + " (data.masks: binary)")
        }
        // Greys that are stored as colours have no index.
        guard counts.grey == 0 else { return (.indices, [:], nil) }
        let map = classOfValue.filter { $0.key != $0.value }
        let text = map.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        return (.indices, map, basis + " (data.labels.map: {\(text)})")
    }

    /// The class of each value, where the values are greys of classes.
    private var greys: [Int: Int]? {
        let found = open.map(Int.init).sorted()
        // Among other classes 255 alone is rather the ignored label.
        if classes.count == 2 && found.count > 1 || found.contains(where: { $0 != 0 && $0 != 255 }) {
            let named = found.compactMap { value in
                UInt8(exactly: value).flatMap { classes.legend[Color($0, $0, $0)] }.map { (value, Int($0)) }
            }
            if named.count == found.count { return Dictionary(named, uniquingKeysWith: { $1 }) }
        }
        guard found.count == classes.count, Self.areSpread(found) else { return nil }
        return Dictionary(found.enumerated().map { ($1, $0) }, uniquingKeysWith: { $1 })
    }

    /// Whether values that begin with 0 are spread over 0 to 255 or to 65535, or follow one another by equal steps.
    private static func areSpread(_ values: [Int]) -> Bool {
        guard values.first == 0, let last = values.last, values.count > 1 else { return false }
        if values.count == 2 { return last == 255 || last == 65_535 }
        let isEven = { (end: Double) in
            values.enumerated().allSatisfy { place, value in
                abs(Double(value) - end * Double(place) / Double(values.count - 1)) <= 1
            }
        }
        return isEven(255) || isEven(65_535) || values.enumerated().allSatisfy { $1 == $0 * values[1] }
    }
}

/// The different values of one mask.
struct MaskValues: Sendable {
    enum Kind: Sendable {
        /// A palette, or greys.
        case indices
        /// Red, green and blue that are equal everywhere, where colours have a meaning.
        case grey
        /// Colours.
        case colored
    }

    let kind: Kind
    /// Indices or greys; none of a mask of colours.
    let values: Set<UInt16>

    /// - Parameters:
    ///   - raw: what the file holds.
    ///   - hasLegend: whether colours have a meaning, so that greys stored as colours are colours.
    init(_ raw: RawMask, hasLegend: Bool) {
        if !hasLegend, let greys = raw.greys {
            kind = .indices
            values = Self.different(greys, count: 256)
            return
        }
        switch raw.values {
        case .indices(let labels):
            kind = .indices
            values = Self.different(labels, count: 256)
        case .wide(let labels):
            kind = .indices
            values = Self.different(labels, count: 65_536)
        case .colors(let pixels):
            let isGrey = stride(from: 0, to: pixels.count - 2, by: 3).allSatisfy { (start: Int) -> Bool in
                let (red, green, blue) = (pixels[start], pixels[start + 1], pixels[start + 2])
                return red == green && green == blue
            }
            kind = isGrey ? .grey : .colored
            values = isGrey ? Self.different(pixels, count: 256) : []
        }
    }

    private static func different(_ labels: [some FixedWidthInteger], count: Int) -> Set<UInt16> {
        var seen = [Bool](repeating: false, count: count)
        labels.withUnsafeBufferPointer { for label in $0 { seen[Int(label)] = true } }
        return Set(seen.indices.filter { seen[$0] }.map { UInt16($0) })
    }
}
