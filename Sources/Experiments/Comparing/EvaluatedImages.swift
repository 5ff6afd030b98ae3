import Networks
import SearchSpace
import Segmentation

/// The images that networks are measured on, as far as costs depend on them.
public struct EvaluatedImages: Equatable, Sendable {
    /// The number of classes.
    public var classes: Int
    /// Rows of the map that the network sees.
    public var height: Int
    /// Columns of the map that the network sees.
    public var width: Int

    /// Looks at the first image of a split: resized as for training, and padded to 32 n + 1 as for evaluation.
    ///
    /// - Parameters:
    ///   - configuration: Data and `train.resize`.
    ///   - split: The split's name; nil takes the configuration's `data.splits.val`.
    /// - Throws: An error about data that cannot be used.
    public init(_ configuration: Configuration, split: String?) throws {
        let dataset = try configuration.data.dataset()
        let name = split ?? configuration.data.splits.val
        guard let first = try dataset.samples(Split(rawValue: name)).first else {
            throw DataError(.missing, file: configuration.data.root, problem: "has no labelled image in split \(name)")
        }
        let image = try dataset.reader(resize: configuration.train.resize).read(first).image
        self.init(
            classes: dataset.classes.count, height: paddedSize(image.height), width: paddedSize(image.width))
    }

    /// Images of a size with so many classes.
    public init(classes: Int, height: Int, width: Int) {
        self.classes = classes
        self.height = height
        self.width = width
    }
}

extension DataConfiguration {
    /// The number of classes, as far as it is known without looking at the data: by names, or by the layout.
    public var statedClasses: Int? {
        if !classes.names.isEmpty { return classes.names.count }
        let own: KnownClasses =
            switch format {
            case _ where classes.known != .none: classes.known
            case .cityscapes: .cityscapes
            case .voc: .voc
            case .ade20k: .ade20k
            case .auto, .folders, .list, .coco, .roboflow, .labelme, .tiles: .none
            }
        return own.table?.count
    }
}

extension TrainConfiguration {
    /// What a network costs as it is trained and used under this configuration: its filters and its head's widths.
    ///
    /// - Parameters:
    ///   - genotype: A valid genotype.
    ///   - images: Classes, and the size of the image.
    /// - Returns: The cost of each part, for one image at scale 1.
    public func cost(of genotype: Genotype, on images: EvaluatedImages) -> Cost {
        Cost(network(classes: images.classes).layout(of: genotype), height: images.height, width: images.width)
    }

    /// The filter multiplier with which a network's multiply-adds come closest to a number, and the cost then.
    public func filters(
        of genotype: Genotype, closestTo multiplyAdds: Int, on images: EvaluatedImages
    ) -> (filters: Int, cost: Cost) {
        let layout = network(classes: images.classes).layout(of: genotype)
        return Cost.filters(
            of: genotype, closestTo: multiplyAdds, classes: images.classes, height: images.height,
            width: images.width, atrous: layout.atrous, widths: layout.widths)
    }
}
