import Configurations
import Datasets
import Images
import Inference
import Networks
import SearchSpace

/// The images that networks are measured on, as far as costs depend on them.
package struct InputSpecification: Equatable, Sendable {
    /// The number of classes.
    package var classes: Int
    /// Rows of the map that the network sees.
    package var height: Int
    /// Columns of the map that the network sees.
    package var width: Int
    /// How many such maps an image is: windows, or 1.
    package var windows = 1
    /// Channels of the images.
    package var channels = 3

    /// Looks at the first image of a split, as it is seen in evaluation.
    ///
    /// - Parameters:
    ///   - configuration: Data, `train.resize` and windows.
    ///   - split: The split's name; nil takes the configuration's `data.splits.val`.
    ///   - dataset: The data set where it is open; nil opens it.
    /// - Throws: An error about data that cannot be used.
    package init(_ configuration: Configuration, split: String?, of dataset: Dataset? = nil) throws {
        let dataset = try dataset ?? configuration.data.dataset()
        let name = split ?? configuration.data.splits.val
        guard let first = try dataset.samples(Split(rawValue: name)).first else {
            throw DataError(.missing, file: configuration.data.root, problem: "has no labelled image in split \(name)")
        }
        let scaling = configuration.data.scaling(resize: configuration.train.resize)
        let image = try dataset.reader().decode(first)
        self.init(
            classes: dataset.classes.count, height: image.fullHeight, width: image.fullWidth, scaling: scaling,
            evaluate: configuration.evaluate,
            scoreStride: configuration.train.scoreStride)
        channels = dataset.channels
    }

    /// Images of a size as `predict` sees them: resized, gone through by windows where they are large, and padded to
    /// 32 n + 1.
    package init(
        classes: Int, height: Int, width: Int, scaling: ImageScaling, evaluate: EvaluateConfiguration,
        scoreStride: Int = 4
    ) {
        let seen = scaling.size(width: width, height: height)
        var inference = Predictor(evaluate, device: .cpu)
        _ = inference.boundMemory(
            width: seen.width, height: seen.height, classes: classes, scoreStride: scoreStride)
        let map = inference.seenMaps(width: seen.width, height: seen.height)
        self.init(classes: classes, height: paddedSize(map.height), width: paddedSize(map.width))
        windows = map.count
    }

    /// Maps of a size with so many classes, just as the network sees them.
    package init(classes: Int, height: Int, width: Int) {
        self.classes = classes
        self.height = height
        self.width = width
    }
}

extension Cost {
    /// The cost of a network for an image, all windows of it.
    package init(_ layout: NetworkLayout, on images: InputSpecification) {
        self = Cost(layout, height: images.height, width: images.width).times(images.windows)
    }

    /// The cost of so many windows.
    fileprivate func times(_ windows: Int) -> Cost {
        func all(_ multiplyAdds: Int) -> Int {
            let (product, overflow) = multiplyAdds.multipliedReportingOverflow(by: windows)
            // Three of these are summed up.
            return overflow ? Int.max / 4 : min(product, Int.max / 4)
        }
        var result = self
        result.backbone.multiplyAdds = all(backbone.multiplyAdds)
        result.aspp.multiplyAdds = all(aspp.multiplyAdds)
        result.decoder.multiplyAdds = all(decoder.multiplyAdds)
        return result
    }
}

extension NetworkDescription {
    /// The cost for an image, all windows of it.
    package func cost(on images: InputSpecification) -> Cost {
        cost(height: images.height, width: images.width).times(images.windows)
    }
}

extension DataConfiguration {
    /// The number of classes, as far as it is known without looking at the data: by names, or by the layout.
    package var statedClasses: Int? {
        if !classes.names.isEmpty { return classes.names.count }
        let own: KnownClasses =
            switch format {
            case _ where classes.known != .none: classes.known
            case .cityscapes: .cityscapes
            case .voc: .voc
            case .ade20k: .ade20k
            case .auto, .folders, .list, .coco, .roboflow, .labelme, .pairs, .tiles: .none
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
    package func cost(of genotype: Genotype, on images: InputSpecification) -> Cost {
        Cost(network(classes: images.classes, channels: images.channels).layout(of: genotype), on: images)
    }

    /// The filter multiplier with which a network's multiply-adds come closest to a number, and the cost then.
    package func filters(
        of genotype: Genotype, closestTo multiplyAdds: Int, on images: InputSpecification
    ) -> (filters: Int, cost: Cost) {
        let layout = network(classes: images.classes, channels: images.channels).layout(of: genotype)
        let found = Cost.filters(
            of: genotype, closestTo: multiplyAdds / images.windows, classes: images.classes, height: images.height,
            width: images.width, widths: layout.widths)
        let best = NetworkLayout(
            genotype, filters: found.filters, classes: images.classes, widths: layout.widths)
        return (found.filters, Cost(best, on: images))
    }
}
