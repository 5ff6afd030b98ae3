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
    let reader = dataset.reader(
        resize: model.scaling.factor, longerSide: model.scaling.longerSide, range: model.range)
    let (image, mask) = try reader.readImageAndOriginalMask(sample)
    var inference = Predictor(device: model.device)
    _ = inference.boundMemory(
        width: image.width, height: image.height, classes: model.classes.count,
        scoreStride: model.network.description.scoreStride)
    let prediction = inference.map(of: image) { model.network.coarseScores($0) }
        .resized(height: mask.height, width: mask.width, alignCorners: false).mask()
    return sideBySide(image, labels: mask, prediction: prediction, classes: model.classes)
}
