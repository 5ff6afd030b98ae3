/// A segmentation network of an encoder and a decoder as plain values: the one place that says what it consists of.
public struct EncodedLayout: Hashable, Sendable {
    /// The encoder.
    public let encoder: EncoderLayout
    /// The decoder, with the class layer.
    public let decoder: FeatureDecoderLayout
    /// The number of classes.
    public let classes: Int

    /// The layout of an encoder and a decoder.
    ///
    /// - Parameters:
    ///   - encoder: The encoder.
    ///   - decoder: The decoder.
    ///   - classes: The number of classes.
    ///   - widths: The decoder's channels.
    ///   - imageChannels: Channels of the images.
    public init(
        _ encoder: EncoderKind, _ decoder: DecoderKind, classes: Int, widths: DecoderWidths = DecoderWidths(),
        imageChannels: Int = 3
    ) {
        let layout = EncoderLayout(encoder, imageChannels: imageChannels)
        self.encoder = layout
        self.classes = classes
        self.decoder =
            switch decoder {
            case .unet: .unet(UNetLayout(layout, widths: widths, classes: classes))
            case .deepLabV3Plus: .deepLabV3Plus(DeepLabLayout(layout, widths: widths, classes: classes))
            case .light: .light(LightLayout(layout, widths: widths, classes: classes))
            case .fine: .fine(FineLayout(layout, widths: widths, classes: classes))
            case .searched(let genotype):
                .searched(SearchedDecoderLayout(genotype, layout, widths: widths, classes: classes))
            }
    }
}

extension Cost {
    /// The cost of an encoder with a decoder for an image of `height` x `width`; the encoder is the backbone.
    public init(_ layout: EncodedLayout, height: Int, width: Int) {
        precondition(height >= 1 && width >= 1, "an image of \(height)x\(width) pixels")
        func size(_ stride: Int) -> Int { scaledSize(height, stride: stride) * scaledSize(width, stride: stride) }
        func add(_ light: LightLayout) {
            for (stride, lateral) in zip(LightLayout.strides, light.laterals) {
                decoder.add(lateral, size: size(stride))
            }
            for convolution in light.refinement { decoder.add(convolution, size: size(4)) }
        }
        backbone = Part()
        aspp = Part()
        decoder = Part()
        for (convolution, stride) in layout.encoder.convolutions { backbone.add(convolution, size: size(stride)) }
        switch layout.decoder {
        case .unet(let unet):
            for level in unet.levels {
                for convolution in level.refinement.joined() { decoder.add(convolution, size: size(level.stride)) }
            }
        case .deepLabV3Plus(let own):
            for convolution in [own.aspp.pointwise] + own.aspp.atrous.joined() + [own.aspp.projection] {
                aspp.add(convolution, size: size(32))
            }
            aspp.add(own.aspp.pointwise, size: 1)
            for convolution in [own.reduction] + own.refinement.joined() { decoder.add(convolution, size: size(4)) }
        case .light(let light): add(light)
        case .fine(let fine):
            add(fine.coarse)
            for (stride, lateral) in zip([4, 2], fine.laterals) { decoder.add(lateral, size: size(stride)) }
            for convolution in fine.refinement { decoder.add(convolution, size: size(2)) }
        case .searched(let searched):
            for convolution in searched.convolutions {
                decoder.add(convolution.layout, size: convolution.stride.map(size) ?? convolution.pixels)
            }
        }
        decoder.add(layout.decoder.logits, size: size(layout.decoder.stride))
    }
}
