import Configurations
import Inference
import Runs
import Torch

/// The configuration's device, with its threads set before anything is computed: once there are others, they wait in a loop
/// for work.
func openDevice(_ configuration: Configuration) throws -> Device {
    let device = try configuration.device.device()
    Engine.threads = configuration.workerThreads
    return device
}

/// A trained model on the configuration's device.
///
/// - Parameters:
///   - argument: A run folder, or a model file.
///   - configuration: Says device and threads.
///   - reporter: Is told where a model of 8-bit integers is computed otherwise.
/// - Returns: The model.
/// - Throws: One line about a file that is missing, damaged or no model.
func openModel(
    _ argument: String, _ configuration: Configuration, reporter: any ProgressReporter
) throws -> Model {
    // Asked for where there is a file, so that a wrong name loads no libtorch.
    let model = try Model(at: argument, device: try openDevice(configuration))
    if model.quantization != nil, !model.computesBytes {
        reporter.report(
            .note(
                "\(argument): is computed with real numbers: 8-bit integers need a processor that multiplies them exactly"
                    + " (VNNI)"))
    }
    return model
}
