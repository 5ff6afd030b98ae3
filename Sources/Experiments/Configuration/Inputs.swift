import Segmentation
import Torch

extension DataConfiguration {
    /// Opens the data set that is described here.
    ///
    /// - Returns: The data set, of which no more than the class file is read.
    /// - Throws: ``ConfigurationError`` where no folder is given, `DataError` where it cannot be used.
    public func dataset() throws -> Dataset {
        guard !root.isEmpty else {
            throw ConfigurationError(.missingValue, "data.root: no data set is given; name its folder with --data")
        }
        let table: ClassTable? =
            if !classes.names.isEmpty {
                ClassTable(names: classes.names)
            } else if !classes.file.isEmpty {
                try ClassTable(classesFile: classes.file.hasPrefix("/") ? classes.file : root + "/" + classes.file)
            } else {
                nil
            }
        return try Dataset(
            root: root, layout: Layout(rawValue: format.rawValue), classes: table,
            ignoring: labels.ignore.compactMap(UInt8.init(exactly:)),
            mapping: Dictionary(
                labels.map.map { (UInt8(clamping: $0.key), UInt8(clamping: $0.value)) }, uniquingKeysWith: { $1 }))
    }
}

extension DataConfiguration {
    /// Reads samples for training: decoded, checked, and resized by a factor or to the longer side.
    public func trainingReader(_ dataset: Dataset, resize: Double) -> SampleReader {
        SampleReader(labels: dataset.labels, resize: resize, longerSide: longerSide > 0 ? longerSide : nil)
    }
}

extension SearchConfiguration {
    /// How the search draws its crops.
    public var augmentation: Augmentation {
        Augmentation(cropHeight: crop.height, cropWidth: crop.width, scales: scales, flip: flip)
    }
}

extension TrainConfiguration {
    /// How the training draws its crops.
    public var augmentation: Augmentation {
        Augmentation(cropHeight: crop.height, cropWidth: crop.width, scales: scales, flip: flip)
    }
}

extension DeviceChoice {
    /// The device that is meant, which must be there.
    ///
    /// - Returns: The device; for `auto` the fastest that there is.
    /// - Throws: ``ConfigurationError`` where the device is absent.
    public func device() throws(ConfigurationError) -> Device {
        do {
            return try Device.named(rawValue)
        } catch {
            throw ConfigurationError(.unavailable, "\(error)")
        }
    }
}
