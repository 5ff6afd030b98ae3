/// The parameters and multiply-adds of a discrete network, counted from its layout without building it.
///
/// Parameters are kernels, batch norms' scales and offsets, and the class layer's bias. Multiply-adds are those of
/// the convolutions alone, for one image. With 19 classes the published network has, in billions:
///
/// | F | paper | at 1024x2048 | at 1025x2049 |
/// |---|---|---|---|
/// | 20 | 333.25 | 317.54 (4.7% less) | 320.45 (3.8% less) |
/// | 32 | 460.93 | 434.99 (5.6% less) | 439.92 (4.6% less) |
/// | 48 | 695.03 | 653.58 (6.0% less) | 662.42 (4.7% less) |
///
/// The paper's profiler counted something more; which operations, it does not say.
public struct Cost: Hashable, Sendable {
    /// The cost of one part.
    public struct Part: Hashable, Encodable, Sendable {
        /// The number of parameters.
        public var parameters: Int
        /// The multiply-adds for one image.
        public var multiplyAdds: Int

        /// A part of this cost.
        public init(parameters: Int = 0, multiplyAdds: Int = 0) {
            self.parameters = parameters
            self.multiplyAdds = multiplyAdds
        }

        mutating func add(_ convolution: ConvolutionLayout, size: Int) {
            parameters += convolution.parameters
            multiplyAdds += convolution.multiplyAdds(outputSize: size)
        }
    }

    /// Stem and cells.
    public var backbone: Part
    /// Atrous spatial pyramid pooling.
    public var aspp: Part
    /// The decoder with the class layer.
    public var decoder: Part

    /// All parameters.
    public var parameters: Int { backbone.parameters + aspp.parameters + decoder.parameters }
    /// All multiply-adds.
    public var multiplyAdds: Int { backbone.multiplyAdds + aspp.multiplyAdds + decoder.multiplyAdds }

    /// Checks what a user asks to be counted: within these bounds no count overflows, for any valid genotype.
    ///
    /// - Parameters:
    ///   - filters: the filter multiplier F, 1 to 1024.
    ///   - classes: the number of classes, 1 to 255 (label 255 is ignored).
    ///   - height: the image's height, 1 to 16384.
    ///   - width: the image's width, 1 to 16384.
    /// - Throws: `SearchSpaceError` naming the value that is out of range.
    public static func validate(filters: Int, classes: Int, height: Int, width: Int) throws {
        let values = [
            ("filters", filters, maximumFilters), ("classes", classes, 255), ("height", height, 16384),
            ("width", width, 16384),
        ]
        for (name, value, maximum) in values {
            try Genotype.check(count: value, of: name, upTo: maximum)
        }
    }

    /// The cost of a genotype's network for an image of `height` x `width`.
    ///
    /// - Parameters:
    ///   - genotype: a genotype that passes `validate()`.
    ///   - filters: the filter multiplier F.
    ///   - classes: the number of classes.
    ///   - height: the image's height.
    ///   - width: the image's width.
    ///   - widths: the channels that do not follow from the filters.
    /// - Returns: the cost of each part.
    public static func of(
        _ genotype: Genotype, filters: Int, classes: Int, height: Int, width: Int,
        widths: NetworkWidths = NetworkWidths()
    ) -> Cost {
        let layout = NetworkLayout(genotype, filters: filters, classes: classes, widths: widths)
        return Cost(layout, height: height, width: width)
    }

    /// The cost of a layout for an image of `height` x `width`.
    public init(_ layout: NetworkLayout, height: Int, width: Int) {
        precondition(height >= 1 && width >= 1, "an image of \(height)x\(width) pixels")
        func size(_ stride: Int) -> Int { scaledSize(height, stride: stride) * scaledSize(width, stride: stride) }
        backbone = Part()
        for (convolution, stride) in layout.stemConvolutions { backbone.add(convolution, size: size(stride)) }
        for cell in layout.cells {
            let entry = size(cell.inputStride.rawValue)
            let output = size(cell.stride.rawValue)
            backbone.add(cell.previousProjection, size: entry)
            if let projection = cell.previous2Projection { backbone.add(projection, size: entry) }
            // Every convolution of an operator works at the cell's own size: strides act at its very beginning.
            for branch in layout.genotype.cell.blocks.flatMap(\.branches) {
                for convolution in layout.convolutions(of: branch, in: cell) {
                    backbone.add(convolution, size: output)
                }
            }
        }
        aspp = Part()
        decoder = Part()
        decoder.add(layout.logits, size: size(layout.scoreStride))
        guard let pooling = layout.aspp, let refining = layout.decoder else { return }
        let last = size(pooling.stride.rawValue)
        for convolution in [pooling.pointwise] + pooling.atrous.flatMap({ $0 }) + [pooling.projection] {
            aspp.add(convolution, size: last)
        }
        aspp.add(pooling.pointwise, size: 1)
        for convolution in [refining.reduction] + refining.refinement.flatMap({ $0 }) {
            decoder.add(convolution, size: size(4))
        }
        for part in refining.finer {
            decoder.add(part.projection, size: size(2 * part.stride))
            for convolution in [part.reduction] + part.refinement { decoder.add(convolution, size: size(part.stride)) }
        }
    }
}
