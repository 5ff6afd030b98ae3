import Torch

extension ONNXOptions {
    /// How bytes are resized before the network sees them, and its result back to their size.
    public enum Resizing: Hashable, Sendable {
        /// Not at all.
        case none
        /// Both sides by a factor of at least a half, for images of any size.
        case factor(Double)
        /// To a size, for images of one size.
        case size(Size)

        /// Resizing of images of any size by a factor.
        ///
        /// - Throws: ``ExportError`` below a half, where blocks are averaged whose size depends on the image's.
        public init(factor: Double) throws {
            guard factor >= 0.5 else {
                throw ExportError(
                    description: "images are resized to less than half, or to a longer side, before the network sees "
                        + "them: an ONNX model that does so needs a fixed size")
            }
            self = factor == 1 ? .none : .factor(factor)
        }
    }
}

/// Resizing of images as the package itself resizes bytes: bilinear, pixels' centres at halves, rounded to whole numbers.
///
/// All is computed as there, positions in 64 bits, so that not a byte differs.
struct ImageResizing {
    let builder: GraphBuilder

    /// Values 0 to 255 `[N, channels, H, W]` to the size of another extent, after blocks are averaged where images shrink to
    /// less than half.
    func resize(_ images: String, from old: ImageExtent, to new: ImageExtent, shrinking: Shrinking?) -> String {
        var images = images
        var old = old
        if let shrinking {
            images = reduce(images, by: shrinking)
            old = ImageExtent(height: shrinking.height.count, width: shrinking.width.count, builder: builder)
        }
        for (axis, name) in ["rows", "columns"].enumerated() {
            let taps = taps(from: old, to: new, axis: axis, name: name)
            let first = builder.node(
                "Gather", [images, taps.first], ["axis": .integer(axis + 2)], name: "\(name).first")
            let second = builder.node(
                "Gather", [images, taps.second], ["axis": .integer(axis + 2)], name: "\(name).second")
            let difference = builder.node("Sub", [second, first], name: "\(name).difference")
            let part = builder.node("Mul", [difference, taps.share], name: "\(name).part")
            images = builder.node("Add", [first, part], name: name)
        }
        return rounded(images, name: "resized")
    }

    /// Blocks of whole factors that are averaged, where there are any.
    struct Shrinking {
        /// One direction: pixels of a block, and of the last one, and the number of blocks.
        struct Side {
            let factor: Int
            let last: Int
            let count: Int

            init(_ old: Int, _ new: Int) {
                factor = max(1, old / new)
                count = (old + factor - 1) / factor
                last = old - (count - 1) * factor
            }
        }

        let height: Side
        let width: Side

        /// Nil where bilinear interpolation sees every pixel by itself.
        init?(from old: ONNXOptions.Size, to new: ONNXOptions.Size) {
            guard old.width > 2 * new.width || old.height > 2 * new.height else { return nil }
            height = Side(old.height, new.height)
            width = Side(old.width, new.width)
        }
    }

    /// Means of blocks; those at the right and lower edge may be smaller.
    private func reduce(_ images: String, by blocks: Shrinking) -> String {
        let (height, width) = (blocks.height, blocks.width)
        let pads = builder.constant([0, 0, 0, 0, 0, 0, height.factor - height.last, width.factor - width.last])
        let padded = builder.node("Pad", [images, pads], name: "blocks.padded")
        let sums = builder.node(
            "AveragePool", [padded],
            [
                "kernel_shape": .integers([height.factor, width.factor]),
                "strides": .integers([height.factor, width.factor]),
            ], name: "blocks")
        func scale(_ side: Shrinking.Side, _ shape: [Int], _ name: String) -> String {
            var scales = [Float](repeating: 1, count: side.count)
            scales[side.count - 1] = Float(side.factor) / Float(side.last)
            return builder.weights(Tensor(scales, shape: shape), name: name)
        }
        let rows = builder.node(
            "Mul", [sums, scale(height, [height.count, 1], "blocks.height")], name: "blocks.rows")
        let means = builder.node("Mul", [rows, scale(width, [width.count], "blocks.width")], name: "blocks.means")
        // Means of whole numbers that are halves need not come out as such in 32 bits.
        return rounded(means, slack: 1e-4, name: "blocks.rounded")
    }

    /// Whole numbers, halves upward; what lies below a half by less than `slack` counts as one.
    private func rounded(_ images: String, slack: Float = 0, name: String) -> String {
        let half = builder.weights(Tensor([0.5 + slack], shape: [1]), name: "\(name).half")
        return builder.node(
            "Floor", [builder.node("Add", [images, half], name: "\(name).sum")], name: name)
    }

    /// For each line of the result the two lines that it lies between, and the share of the second.
    private func taps(
        from old: ImageExtent, to new: ImageExtent, axis: Int, name: String
    ) -> (first: String, second: String, share: String) {
        func double(_ source: String, _ name: String) -> String {
            builder.node("Cast", [source], ["to": .integer(11)], name: name)
        }
        func side(_ extent: ImageExtent, _ name: String) -> String {
            builder.node("Gather", [extent.size, builder.constant([axis])], ["axis": .integer(0)], name: name)
        }
        let (oldSide, newSide) = (side(old, "\(name).old"), side(new, "\(name).new"))
        let step = builder.node(
            "Div", [double(oldSide, "\(name).old.double"), double(newSide, "\(name).new.double")], name: "\(name).step")
        // 0, 1, 2, ...: the places of the ones in a vector of the wanted length.
        let ones = builder.node("ConstantOfShape", [newSide], name: "\(name).ones")
        let all = builder.node("Equal", [ones, ones], name: "\(name).all")
        let index = builder.node(
            "Reshape", [builder.node("NonZero", [all], name: "\(name).places"), builder.constant([-1])],
            name: "\(name).index")
        let half = builder.doubles([0.5], name: "half")
        let middle = builder.node(
            "Add", [double(index, "\(name).index.double"), half], name: "\(name).middle")
        let place = builder.node(
            "Sub", [builder.node("Mul", [middle, step], name: "\(name).scaled"), half], name: "\(name).place")
        let last = builder.node("Sub", [oldSide, builder.constant([1])], name: "\(name).last")
        let bounded = builder.node(
            "Min",
            [
                builder.node("Max", [place, builder.doubles([0], name: "zero")], name: "\(name).positive"),
                double(last, "\(name).last.double"),
            ], name: "\(name).bounded")
        let floor = builder.node("Floor", [bounded], name: "\(name).floor")
        let share = builder.node(
            "Cast", [builder.node("Sub", [bounded, floor], name: "\(name).rest")], ["to": .integer(1)],
            name: "\(name).share")
        let first = builder.node("Cast", [floor], ["to": .integer(7)], name: "\(name).lower")
        let second = builder.node(
            "Min", [builder.node("Add", [first, builder.constant([1])], name: "\(name).next"), last],
            name: "\(name).upper")
        // Behind the channels come rows, then columns: a column of shares for the rows, a row of them for the columns.
        let shape = axis == 0 ? [-1, 1] : [-1]
        return (first, second, builder.node("Reshape", [share, builder.constant(shape)], name: "\(name).shares"))
    }
}

extension ImageExtent {
    /// The extent of images whose sides are multiplied by a factor and rounded.
    func resized(by factor: Double, builder: GraphBuilder) -> ImageExtent {
        let double = builder.node("Cast", [size], ["to": .integer(11)], name: "size.double")
        let product = builder.node("Mul", [double, builder.doubles([factor], name: "factor")], name: "size.product")
        let sum = builder.node("Add", [product, builder.doubles([0.5], name: "half")], name: "size.sum")
        let floor = builder.node("Floor", [sum], name: "size.floor")
        let whole = builder.node("Cast", [floor], ["to": .integer(7)], name: "size.whole")
        return with(size: builder.node("Max", [whole, builder.constant([1])], name: "size.resized"))
    }
}
