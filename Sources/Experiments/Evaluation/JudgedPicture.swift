import Configurations
import Datasets
import Images
import Inference
import Segmentation

/// Draws a sample of a data set: the image, its labels and what a model makes of it, side by side.
///
/// - Parameters:
///   - sample: A labelled sample.
///   - model: The trained network.
///   - dataset: The sample's data set.
/// - Returns: The picture.
/// - Throws: `DataError` where a file cannot be read.
package func judgedPicture(of sample: Sample, by model: Model, in dataset: Dataset) throws -> Image {
    let (image, mask) = try model.reader(of: dataset).readImageAndOriginalMask(sample)
    var inference = Predictor(device: model.device)
    inference.normalization = model.normalization
    _ = inference.boundMemory(
        width: image.width, height: image.height, classes: model.classes.count,
        scoreStride: model.network.description.scoreStride)
    let prediction = inference.map(of: image, network: model.coarseScores)
        .resized(height: mask.height, width: mask.width, alignCorners: false).mask()
    return sideBySide(
        image.shown(model.shownChannels), labels: mask, prediction: prediction, classes: model.classes)
}

extension Model {
    /// Reads a data set's samples as the network sees them.
    func reader(of dataset: Dataset) -> SampleReader {
        dataset.reader(
            resize: scaling.factor, longerSide: scaling.longerSide, range: range, normalization: normalization)
    }

    /// The channels that pictures show: those of the settings, where there are any that its images have.
    package func shown(of data: DataConfiguration) -> [Int] {
        data.shown.isEmpty || !Image.canShow(data.shown, of: channels) ? shownChannels : data.shown
    }
}
