import Configurations
import Datasets
import Foundation
import Images
import Runs
import Segmentation
import Torch

extension DataConfiguration {
    /// Opens the data set that is described here.
    ///
    /// - Returns: The data set, of which the class file and as many masks are read as it takes to tell what they mean.
    /// - Throws: `ConfigurationError` where no folder is given or there is none, `DataError` where it cannot be used.
    public func dataset() throws -> Dataset { try dataset(acceptingUnnamedClasses: false) }

    /// Opens the data set, for a check perhaps, which can do without the classes' names.
    package func dataset(acceptingUnnamedClasses: Bool, reporter: any ProgressReporter = SilentReporter()) throws
        -> Dataset
    {
        guard !root.isEmpty else {
            throw ConfigurationError(.missingValue, "no data set is given", advice: .nameData)
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: root, isDirectory: &isFolder), isFolder.boolValue else {
            let place =
                root.hasPrefix("/") ? "" : " in the current folder, \(FileManager.default.currentDirectoryPath)"
            throw ConfigurationError(.unreadable, "\(root): is no folder\(place)", advice: .nameData)
        }
        var options = DatasetOptions()
        options.acceptsUnnamedClasses = acceptingUnnamedClasses
        options.classes =
            classes.names.isEmpty
            ? classes.known.table
            : ClassTable(names: classes.names, palette: classes.colors.compactMap { Color(hex: $0) })
        if !classes.file.isEmpty {
            options.classesFile = classes.file.hasPrefix("/") ? classes.file : root + "/" + classes.file
        }
        options.ignoring = labels.ignore
        options.mapping = labels.map
        options.masks = masks
        options.tiles.height = tiles.size.height
        options.tiles.width = tiles.size.width
        options.tiles.cache = tiles.cache.isEmpty ? nil : tiles.cache
        options.minimumLabelledPixels = minimumLabelledPixels
        options.allowsOutsideRoot = allowOutsideRoot
        if !splits.file.isEmpty { options.assignment = try SplitAssignment(file: splits.file) }
        options.limits.pixels = megapixels * 1_000_000
        options.channels = channels
        options.range = range.count == 2 ? ValueRange(low: range[0], high: range[1]) : nil
        // Most often one mask is enough: progress is worth showing only where many are read.
        let stage = "looking at masks"
        var isShown = false
        defer { if isShown { reporter.report(.ended(stage: stage)) } }
        return try Dataset(root: root, layout: Layout(rawValue: format.rawValue), options: options) { done, total in
            guard done >= 500 else { return }
            if !isShown { reporter.report(.began(stage: stage, unit: "mask", total: total)) }
            isShown = true
            reporter.report(.advanced(Advance(completed: done)))
        }
    }

    /// Reads samples for training: decoded, checked, and resized by a factor or to the longer side.
    ///
    /// - Parameters:
    ///   - dataset: The data set.
    ///   - resize: The factor.
    ///   - range: What becomes black and white in images of more than 8 bits.
    ///   - normalization: What becomes of their bytes before a network sees them; nil takes 2x / 255 - 1.
    /// - Returns: The reader.
    package func trainingReader(
        _ dataset: Dataset, resize: Double, range: ValueRange? = nil, normalization: ChannelNormalization? = nil
    ) -> SampleReader {
        let scaling = scaling(resize: resize)
        return dataset.reader(
            resize: scaling.factor, longerSide: scaling.longerSide, range: range, normalization: normalization)
    }

    /// The size at which images are seen, which a trained model keeps.
    package func scaling(resize: Double) -> ImageScaling {
        ImageScaling(factor: resize, longerSide: longerSide > 0 ? longerSide : nil)
    }
}

extension Configuration {
    /// Refuses what a search and a training after it could not begin with, before anything is written.
    ///
    /// - Returns: The data set.
    /// - Throws: An error about settings, data or a device that cannot be used.
    @discardableResult
    package func refuseUnusable() throws -> Dataset {
        try validate()
        _ = try device.device()
        let dataset = try data.dataset()
        try train.refuseOtherWeights(classes: dataset.classes.count)
        var data = data
        _ = data.settleValidation(in: dataset)
        for split in [data.splits.train, data.splits.val] { _ = try dataset.samples(Split(rawValue: split)) }
        return dataset
    }
}

extension SearchConfiguration {
    /// How the search draws its crops.
    package var augmentation: Augmentation {
        augment.augmentation(crop: crop, scales: scales, flip: flip)
    }
}

extension TrainConfiguration {
    /// How the training draws its crops.
    package var augmentation: Augmentation {
        augment.augmentation(crop: crop, scales: scales, flip: flip)
    }
}

extension AugmentConfiguration {
    /// The whole augmentation, with what search and training have in their own groups.
    func augmentation(crop: CropSize, scales: [Double], flip: Bool) -> Augmentation {
        var result = Augmentation(cropHeight: crop.height, cropWidth: crop.width, scales: scales, flip: flip)
        result.maximumClassShare = maximumClassShare
        result.color.brightness = brightness
        result.color.contrast = contrast
        result.color.saturation = saturation
        result.color.hue = hue
        result.blur = blur
        result.rotation = rotation
        return result
    }
}

extension DeviceChoice {
    /// The device that is meant, which must be there.
    ///
    /// - Returns: The device; for `auto` the fastest that there is. Processes of a group take a GPU each.
    /// - Throws: `ConfigurationError` where the device is absent.
    package func device() throws(ConfigurationError) -> Device {
        do {
            let device = try Device.named(rawValue)
            guard device.kind == .cuda, ProcessGroup.current != nil,
                let environment = try GroupEnvironment(ProcessInfo.processInfo.environment, timeout: 1)
            else { return device }
            return Device(.cuda, index: environment.localRank % Device.count(of: .cuda))
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError(.unavailable, "\(error)")
        }
    }
}

extension CropSize {
    /// Refuses batches that this machine cannot hold, before anything is allocated.
    ///
    /// - Parameters:
    ///   - batch: Crops in a batch.
    ///   - channels: Channels of the images.
    ///   - stage: `search` or `train`, for the names of the settings.
    /// - Throws: `ConfigurationError` that says how much they would take.
    func refuseImpossible(batch: Int, channels: Int, stage: String) throws(ConfigurationError) {
        // A float a channel and a label a pixel; two batches wait while one is at work.
        let bytes = 3.0 * Double(4 * channels + 1) * Double(batch) * Double(height) * Double(width)
        let memory = Double(ProcessInfo.processInfo.physicalMemory)
        guard bytes > memory else { return }
        throw ConfigurationError(
            .outOfRange,
            "\(stage).batch, \(stage).crop: batches of \(batch) crops of \(height)x\(width) take "
                + String(
                    format: "%.1f GiB, where this machine has %.1f: lower one of them", bytes / 0x1p30,
                    memory / 0x1p30))
    }
}
