import Configurations
import Inference
import Torch

extension Predictor {
    /// As a configuration has it.
    package init(_ configuration: EvaluateConfiguration, device: Device) {
        self.init(scales: configuration.scales, flip: configuration.flip, device: device)
        window = configuration.window
        overlap = configuration.overlap
    }
}
