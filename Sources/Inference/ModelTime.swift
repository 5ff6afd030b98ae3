import Foundation
import Torch

extension Model {
    /// Times passes over one image of random pixels, after one that is not measured.
    ///
    /// - Parameters:
    ///   - height: Rows of the image that the network sees.
    ///   - width: Columns.
    ///   - repetitions: How many are measured, at least one.
    /// - Returns: Milliseconds, in rising order.
    package func milliseconds(height: Int, width: Int, repetitions: Int) -> [Double] {
        withoutGradients {
            let image = Tensor.uniform(
                [1, height, width, network.description.imageChannels], from: -1, to: 1, generator: Generator(seed: 0),
                dtype: .float32
            ).to(device).permute([0, 3, 1, 2])
            return (0...repetitions).map { _ in
                let start = DispatchTime.now().uptimeNanoseconds
                // Reading a value waits for a device that computes by itself.
                _ = network(image, mode: .evaluation).reshape([-1]).select(0, 0).item()
                return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6
            }.dropFirst().sorted()
        }
    }
}
