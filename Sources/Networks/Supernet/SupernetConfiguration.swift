import SearchSpace

/// Whether a node's cell shares its operators between the arrows that enter it (a choice that the paper leaves open).
public enum CellSharing: String, Encodable, CaseIterable, Sendable {
    /// One set of operators a node.
    case perNode
    /// One set of operators an arrow.
    case perArrow
}

/// What is computed anew in the backward pass, in exchange for memory.
public enum Recomputation: String, Encodable, CaseIterable, Sendable {
    /// Nothing: fastest.
    case none
    /// The inside of each node's cells.
    case cells
    /// Runs of about the square root of L layers, and the cells inside them once more: least memory.
    case layers
}

/// Everything that shapes the supernet (paper 3 and 4.1).
public struct SupernetConfiguration: Hashable, Sendable {
    /// Layers L.
    public var layers = 12
    /// Blocks B of a cell.
    public var blocks = 5
    /// Filter multiplier F: a node at stride s has B * F * s / 4 channels.
    public var filters = 8
    /// What the trellis begins on.
    public var stem = StemKind.paper
    /// Classes of the task.
    public var classes: Int
    /// Channels of the images.
    public var imageChannels = 3
    /// Whether arrows into one node share operators.
    public var cells = CellSharing.perNode
    /// Whether H^{l-2} is read where the path was, resized, as in the discrete network; else at the cell's own stride.
    public var resizesPrevious = false
    /// Whether a node adds H^{l-1} of its own stride to what the arrow from there brings, as residual discrete cells do.
    public var residual = false
    /// Form of the atrous operators.
    public var atrous = AtrousKind.dense
    /// Whether the head normalises the image's mean.
    public var normalizesImagePooling = false
    /// Whether the heads' 3x3 convolutions are depthwise separable.
    public var separableHeads = false
    /// Whether gates let earlier maps into cells that an arrow to a finer stride leads to.
    public var longSkips = false
    /// Batch normalisation; the supernet has no affine parameters.
    public var normalization = Normalization(affine: false, eps: 1e-5, momentum: 0.1)

    /// The paper's supernet for a number of classes.
    public init(classes: Int) {
        self.classes = classes
    }

    /// Channels of a block at a stride: F * s / 4.
    func blockChannels(stride: Int) -> Int { filters * stride / 4 }

    /// Channels of a map at a stride: B * F * s / 4, carried to the stem's s = 2.
    func mapChannels(stride: Int) -> Int { blocks * filters * stride / 4 }
}
