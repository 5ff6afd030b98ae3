import Images

/// In which form masks hold their labels.
public enum MaskForm: String, CaseIterable, Codable, Sendable {
    /// Found out from all masks: as `indices`, or two classes by 0 and 255, or greys or colours of classes.
    case auto
    /// Class indices, in palettes or greys; in colours those of the class file, or greys where it has none.
    case indices
    /// The colours of the class file, whatever the kind of file.
    case colors
    /// 0 for the first class and 255 (or 1) for the second.
    case binary
    /// 0 to 127 for the first class and 128 to 255 for the second: black and white with edges that were smoothed.
    case threshold

    /// Whether there are two classes, by greys.
    var isBlackAndWhite: Bool { self == .binary || self == .threshold }
}

/// What each value in a mask file means: a class, the ignored label, or a mistake.
public struct LabelMap: Hashable, Sendable {
    /// How many classes there are.
    public let classes: Int
    /// In which form the files hold their values.
    public let form: MaskForm
    /// The class of each value, 255 for ignored ones, nil for values that must not occur.
    private let table: [UInt8?]
    /// The same for values above 255, of which most mean nothing.
    private let wide: [UInt16: UInt8]
    /// The value that each colour stands for.
    private let legend: [Color: UInt8]

    /// A map that takes values as they are: classes from 0, and 255 for ignored pixels.
    ///
    /// - Parameters:
    ///   - classes: how many there are.
    ///   - ignoring: further values that mean ignored pixels, 0 to 65535.
    ///   - mapping: values that mean another class (or 255); all other classes keep their own.
    ///   - form: how files hold the values.
    ///   - legend: the value that each colour stands for.
    public init(
        classes: Int, ignoring: [Int] = [], mapping: [Int: Int] = [:], form: MaskForm = .auto,
        legend: [Color: UInt8] = [:]
    ) {
        self.init(classes: classes, table: nil, ignoring: ignoring, mapping: mapping, form: form, legend: legend)
    }

    /// A map that begins with a layout's own meanings; classes beyond the given number mean nothing.
    init(
        classes: Int, table layout: [UInt8?]?, ignoring: [Int], mapping: [Int: Int], form: MaskForm,
        legend: [Color: UInt8]
    ) {
        precondition((1...255).contains(classes), "\(classes) classes")
        let values: [UInt8?] =
            switch form {
            case .binary: (0..<256).map { $0 == 0 ? 0 : $0 == 255 || $0 == 1 ? 1 : nil }
            case .threshold: (0..<256).map { $0 < 128 ? 0 : 1 }
            case .auto, .indices, .colors: layout ?? (0..<256).map { UInt8($0) }
            }
        var table = values.map { label in label.flatMap { $0 < classes || $0 == Mask.ignored ? $0 : nil } }
        var wide: [UInt16: UInt8] = form == .binary ? [65535: 1] : [:]
        for (value, label) in mapping.map({ ($0.key, $0.value) }) + ignoring.map({ ($0, Int(Mask.ignored)) }) {
            precondition(
                (0...65_535).contains(value) && ((0..<classes).contains(label) || label == Mask.ignored),
                "\(value) mapped to \(label)")
            if let value = UInt8(exactly: value) {
                table[Int(value)] = UInt8(label)
            } else {
                wide[UInt16(clamping: value)] = UInt8(label)
            }
        }
        self.classes = classes
        self.form = form
        self.table = table
        self.wide = wide
        self.legend = legend
    }

    /// The label that a value means; nil for a mistake.
    public subscript(value: UInt8) -> UInt8? { table[Int(value)] }

    /// Turns a mask's values into labels; a value that means nothing is an error that says where it is.
    public func apply(to mask: Mask, file: String) throws -> Mask {
        var result = mask
        let table = table.map { $0.map { Int16($0) } ?? -1 }
        var fault: Int?
        result.labels.withUnsafeMutableBufferPointer { labels in
            table.withUnsafeBufferPointer { table in
                for index in labels.indices {
                    let label = table[Int(labels[index])]
                    if label < 0 {
                        fault = index
                        return
                    }
                    labels[index] = UInt8(truncatingIfNeeded: label)
                }
            }
        }
        if let fault { throw unknown("\(mask.labels[fault])", at: fault, width: mask.width, file: file) }
        return result
    }

    /// Reads a mask file and turns its values into labels.
    func read(path: String, limits: ReadLimits, noting: ([ReadNote]) -> Void = { _ in }) throws -> Mask {
        let raw = try readRawMask(path: path, limits: limits, asColors: form == .colors)
        noting(raw.notes)
        return try labels(of: raw, file: path)
    }

    /// Turns what a file holds into labels.
    func labels(of raw: RawMask, file: String) throws -> Mask {
        if form != .colors, legend.isEmpty, let greys = raw.greys {
            return try labels(of: RawMask(width: raw.width, height: raw.height, values: .indices(greys)), file: file)
        }
        if form == .binary { try refuseBothOnes(raw, file: file) }
        switch raw.values {
        case .indices(let values):
            return try apply(to: Mask(width: raw.width, height: raw.height, labels: values), file: file)
        case .wide(let values):
            var labels: [UInt8] = []
            labels.reserveCapacity(values.count)
            for (index, value) in values.enumerated() {
                // 16 bits of which the upper 8 count.
                let parted = form == .threshold ? table[Int(value >> 8)] : nil
                guard let label = parted ?? (value < 256 ? table[Int(value)] : wide[value]) else {
                    throw unknown("\(value)", at: index, width: raw.width, file: file)
                }
                labels.append(label)
            }
            return Mask(width: raw.width, height: raw.height, labels: labels)
        case .colors(let pixels):
            return try apply(to: values(ofColors: pixels, raw: raw, file: file), file: file)
        }
    }

    /// In a binary mask either 1 or 255 is the second class: where both are, 255 was hardly meant to be it.
    private func refuseBothOnes(_ raw: RawMask, file: String) throws {
        let both =
            switch raw.values {
            case .indices(let values): values.contains(1) && values.contains(255)
            case .wide(let values): values.contains(1) && (values.contains(255) || values.contains(65_535))
            case .colors: false
            }
        guard both else { return }
        throw DataError(
            file: file,
            problem: "holds 1 and 255, but is to be read as binary, where either is the second class: if 255 means"
                + " ignored pixels here, set data.masks to indices")
    }

    /// Looks up every pixel's colour; equal neighbours are looked up once.
    private func values(ofColors pixels: [UInt8], raw: RawMask, file: String) throws -> Mask {
        if !form.isBlackAndWhite && legend.isEmpty {
            throw raw.refusedColors(file: file)
        }
        var labels: [UInt8] = []
        labels.reserveCapacity(pixels.count / 3)
        var last: (color: Color, value: UInt8)?
        for start in stride(from: 0, to: pixels.count, by: 3) {
            let color = Color(pixels[start], pixels[start + 1], pixels[start + 2])
            if color != last?.color {
                let isGrey = color.red == color.green && color.green == color.blue
                guard let value = form.isBlackAndWhite ? (isGrey ? color.red : nil) : legend[color] else {
                    throw unknownColor(color, at: start / 3, width: raw.width, file: file)
                }
                last = (color, value)
            }
            labels.append(last?.value ?? 0)
        }
        return Mask(width: raw.width, height: raw.height, labels: labels)
    }

    private func unknown(_ value: String, at index: Int, width: Int, file: String) -> DataError {
        let place = "has the label \(value) at column \(index % width), row \(index / width), but"
        let problem =
            form == .binary
            ? "a binary mask holds 0 and 255 alone: set data.masks to threshold if its edges are smoothed, or give it another"
                + " form"
            : "there are \(classes) classes (0 to \(classes - 1), 255 ignored): correct the class list, or ignore or"
                + " map this label"
        return DataError(file: file, problem: "\(place) \(problem)")
    }

    private func unknownColor(_ color: Color, at index: Int, width: Int, file: String) -> DataError {
        DataError(
            file: file,
            problem: "has the colour \(color.hex) (\(color.red) \(color.green) \(color.blue)) at column"
                + " \(index % width), row \(index / width), which is no class's: add it to the class file, with the"
                + " index of its class, or 255 to ignore it")
    }
}
