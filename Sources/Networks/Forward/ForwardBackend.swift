import SearchSpace
import Torch

/// The operations that the discrete network's forward pass consists of.
///
/// The network's modules say what is computed, in which order and by which weights; a backend says how: on tensors
/// (``TensorBackend``), or as nodes of a graph that another program runs. Sizes are strides against the image, since
/// all maps of a stride have one size. Names are those of the results, for backends that name them.
package protocol ForwardBackend {
    /// A map `[N, C, H, W]`.
    associatedtype Map

    /// A convolution, without anything behind it.
    func convolve(_ x: Map, by convolution: Conv2d) -> Map

    /// A convolution and its batch normalisation, with an activation behind them if wanted.
    func convolve(_ x: Map, by convolution: NormalizedConv, activation: Activation?) -> Map

    /// A depthwise convolution, and behind it, with nothing between the two, a normalised one.
    func convolve(_ x: Map, by depthwise: Conv2d, then pointwise: NormalizedConv) -> Map

    /// A 1x1 convolution, its batch normalisation and ReLU of some maps side by side, and behind them a map of one pixel
    /// that stands for as many as the others have.
    ///
    /// That pixel's share is computed once and added. Maps and pixel do not depend on each other; which is asked for
    /// first is the backend's choice, on which the order of nodes and the rounding of gradients' sums depend. The name
    /// is that of the maps side by side.
    func project(
        _ maps: () -> [Map], besides pixel: () -> Map, by projection: NormalizedConv, named name: String
    ) -> Map

    /// ReLU.
    func rectify(_ x: Map) -> Map

    /// A factor and a summand for each channel.
    func scale(_ x: Map, by factors: [Double], plus summands: [Double], named name: String) -> Map

    /// A pool of windows, to `ceil(size / stride)`; padding is not counted.
    func pool(_ x: Map, _ pool: SearchSpace.Operator.Pool, kernelSize: Int, stride: Int, named name: String) -> Map

    /// Bilinear resizing to the size of maps at a stride; `x` itself where it has that size.
    ///
    /// Either the middles of the pixels in the corners lie on one another, or the corners themselves do.
    func resize(_ x: Map, toStride stride: Int, alignCorners: Bool) -> Map

    /// The mean over all pixels, `[N, C, 1, 1]`.
    func mean(_ x: Map, named name: String) -> Map

    /// The channels of all maps, one map's behind the other's.
    func join(_ maps: [Map], named name: String) -> Map

    /// The sum of two maps.
    func add(_ x: Map, _ y: Map, named name: String) -> Map

    /// A map of zeros, otherwise like another one.
    func zeros(channels: Int, stride: Int, like x: Map, named name: String) -> Map

    /// What drop path makes of a branch in training, in a cell counted from 0.
    ///
    /// It is asked for each branch on which drop path acts, in their order: `branch` of `count`, from 0.
    func dropPath(_ x: Map, cell: Int, branch: Int, of count: Int) -> Map

    /// What dropout makes of ASPP's result in training.
    func dropout(_ x: Map) -> Map
}

extension ForwardBackend {
    /// Bilinear resizing, corners aligned.
    package func resize(_ x: Map, toStride stride: Int) -> Map { resize(x, toStride: stride, alignCorners: true) }

    package func convolve(_ x: Map, by depthwise: Conv2d, then pointwise: NormalizedConv) -> Map {
        convolve(convolve(x, by: depthwise), by: pointwise, activation: nil)
    }

    package func dropPath(_ x: Map, cell: Int, branch: Int, of count: Int) -> Map { x }

    package func dropout(_ x: Map) -> Map { x }
}
