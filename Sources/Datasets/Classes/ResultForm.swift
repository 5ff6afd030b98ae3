import Images

/// The files that a benchmark's server takes as results.
public enum ResultForm: String, CaseIterable, Sendable {
    /// Grey PNGs of the original ids, named as the images, in one folder.
    case cityscapes
    /// Palette PNGs in `results/VOC2012/Segmentation/comp6_test_cls`, named as the images.
    case voc
    /// Grey PNGs of 1 to 150, 0 for none, named as the images, in one folder.
    case ade20k

    /// How many classes a network must have for the benchmark.
    public var classes: Int {
        switch self {
        case .cityscapes: CityscapesLayout.originalIds.count
        case .voc: 21
        case .ade20k: 150
        }
    }

    /// The file for an image of this name without its ending, below the folder of all results.
    public func path(stem: String) -> String {
        switch self {
        case .cityscapes, .ade20k: "\(stem).png"
        case .voc: "results/VOC2012/Segmentation/comp6_test_cls/\(stem).png"
        }
    }

    /// Writes a prediction.
    ///
    /// - Parameters:
    ///   - mask: The prediction.
    ///   - path: The file.
    ///   - software: The program that made the file, noted in it; none without it.
    /// - Throws: `DataError` where the file cannot be written.
    public func write(_ mask: Mask, to path: String, software: String? = nil) throws {
        switch self {
        case .cityscapes:
            try writeGreyPNG(
                mask.mapped { UInt8(CityscapesLayout.originalIds[Int($0)]) }, to: path, software: software)
        case .voc: try writePNG(mask, palette: Palette.voc, to: path, software: software)
        case .ade20k: try writeGreyPNG(mask.mapped { $0 + 1 }, to: path, software: software)
        }
    }
}

extension Mask {
    fileprivate func mapped(_ label: (UInt8) -> UInt8) -> Mask {
        Mask(width: width, height: height, labels: labels.map(label))
    }
}
