import Foundation
import Torch

/// What is made larger, one at a time, while the others stay as they are.
enum Quantity: String, CaseIterable, Codable {
    case layers, filters, blocks, pixels, batch, processes

    /// Images of a step that processes share.
    static let sharedBatch = 4

    /// The values that are measured; for pixels the side of the square image, of processes as many as the processor has
    /// cores for.
    var values: [Int] {
        switch self {
        case .layers: [4, 6, 8, 10, 12]
        case .filters: [4, 6, 8, 12, 16]
        case .blocks: [2, 3, 4, 5, 6]
        case .pixels: [65, 97, 129, 193, 257]
        case .batch: [1, 2, 3, 4, 6]
        case .processes:
            ProcessGroup.isAvailable
                ? [1, 2, 4].filter { $0 == 1 || $0 <= ProcessInfo.processInfo.activeProcessorCount } : [1]
        }
    }

    /// The value as it is drawn and fitted: pixels are counted in the image, not along its side.
    func amount(_ value: Int) -> Double { Double(self == .pixels ? value * value : value) }

    /// What stands below the axis.
    var axis: String {
        switch self {
        case .layers: "layers L"
        case .filters: "filters F"
        case .blocks: "blocks B"
        case .pixels: "pixels of an image"
        case .batch: "images in a batch"
        case .processes: "processes that share a batch of \(Quantity.sharedBatch)"
        }
    }
}
