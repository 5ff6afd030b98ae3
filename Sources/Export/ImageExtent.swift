/// The sizes of an image's maps: numbers where the image's size is fixed, computed in the graph where it is not.
struct ImageExtent {
    private let builder: GraphBuilder
    private let extent: Extent

    private enum Extent {
        case fixed(height: Int, width: Int)
        /// Names of the number of images `[1]` and of their height and width `[2]`.
        case computed(batch: String, size: String)
    }

    /// The extent of one image of this size.
    init(height: Int, width: Int, builder: GraphBuilder) {
        self.builder = builder
        extent = .fixed(height: height, width: width)
    }

    /// The extent of the images `[N, C, H, W]` that come.
    init(of images: String, builder: GraphBuilder) {
        self.builder = builder
        let batch = builder.node("Shape", [images], ["start": .integer(0), "end": .integer(1)], name: "batch")
        let size = builder.node("Shape", [images], ["start": .integer(2), "end": .integer(4)], name: "size")
        extent = .computed(batch: batch, size: size)
    }

    private init(_ extent: Extent, builder: GraphBuilder) {
        self.builder = builder
        self.extent = extent
    }

    /// Height and width, `[2]`.
    var size: String {
        switch extent {
        case .fixed(let height, let width): builder.constant([height, width])
        case .computed(_, let size): size
        }
    }

    /// Height and width of a map at a stride, where they are known.
    func fixedSize(atStride stride: Int) -> [Int]? {
        guard case .fixed(let height, let width) = extent else { return nil }
        return [height, width].map { ($0 + stride - 1) / stride }
    }

    /// As many images of another size, which the graph computes.
    func with(size: String) -> ImageExtent {
        guard case .computed(let batch, _) = extent else { preconditionFailure("a fixed extent has a fixed size") }
        return ImageExtent(.computed(batch: batch, size: size), builder: builder)
    }

    /// The shape `[N, channels, ceil(H / stride), ceil(W / stride)]` of a map.
    func shape(channels: Int, stride: Int) -> String {
        switch extent {
        case .fixed(let height, let width):
            return builder.constant([1, channels] + [height, width].map { ($0 + stride - 1) / stride })
        case .computed(let batch, let size):
            let scaled = roundedUp(size, stride: stride, name: "size")
            return builder.node(
                "Concat", [batch, builder.constant([channels]), scaled], ["axis": .integer(0)],
                name: "shape.\(channels).\(stride)")
        }
    }

    /// The least size 32 n + 1 that holds the image, and the padding behind it, `[2]` each.
    var aligned: (extent: ImageExtent, padding: String?) {
        switch extent {
        case .fixed(let height, let width):
            let (h, w) = ((height + 30) / 32 * 32 + 1, (width + 30) / 32 * 32 + 1)
            let padding = h == height && w == width ? nil : builder.constant([h - height, w - width])
            return (ImageExtent(height: h, width: w, builder: builder), padding)
        case .computed(let batch, let size):
            // ceil((size - 1) / 32) * 32 + 1
            let sum = builder.node("Add", [size, builder.constant([30])], name: "aligned.sum")
            let whole = builder.node("Div", [sum, builder.constant([32])], name: "aligned.whole")
            let product = builder.node("Mul", [whole, builder.constant([32])], name: "aligned.product")
            let aligned = builder.node("Add", [product, builder.constant([1])], name: "aligned.size")
            let padding = builder.node("Sub", [aligned, size], name: "aligned.padding")
            return (ImageExtent(.computed(batch: batch, size: aligned), builder: builder), padding)
        }
    }

    private func roundedUp(_ size: String, stride: Int, name: String) -> String {
        if stride == 1 { return size }
        let sum = builder.node("Add", [size, builder.constant([stride - 1])], name: "\(name).\(stride).sum")
        return builder.node("Div", [sum, builder.constant([stride])], name: "\(name).\(stride)")
    }
}
