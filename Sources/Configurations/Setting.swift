import Images
import Networks
import Yams

import struct SearchSpace.NetworkWidths

/// One key of the configuration: where its value lives, how it is read and written, and what it may be.
package struct Setting: Sendable {
    /// The dotted key, the same in files and in overrides.
    package let key: String
    /// The allowed values in words.
    let allowed: String
    /// Puts a YAML value in place; the reason where it is refused.
    let put: @Sendable (Node, inout Configuration) -> ConfigurationError.Reason?
    /// The value as it stands in a file.
    package let get: @Sendable (Configuration) -> Node
    /// Whether the value is allowed.
    let isAllowed: @Sendable (Configuration) -> Bool

    /// Where in the configuration a value lives.
    typealias Place<Value> = WritableKeyPath<Configuration, Value> & Sendable

    /// A setting whose values a condition picks out.
    init<Value: SettingValue>(
        _ key: String, _ path: Place<Value>, allowed: String? = nil,
        where condition: @escaping @Sendable (Value) -> Bool = { _ in true }
    ) {
        self.init(
            key, get: { $0[keyPath: path] }, set: { $0[keyPath: path] = $1 }, allowed: allowed ?? Value.expected,
            where: condition)
    }

    private init<Value: SettingValue>(
        _ key: String, get: @escaping @Sendable (Configuration) -> Value,
        set: @escaping @Sendable (inout Configuration, Value) -> Void, allowed: String,
        where condition: @escaping @Sendable (Value) -> Bool
    ) {
        self.key = key
        self.allowed = allowed
        self.get = { get($0).node }
        self.isAllowed = { condition(get($0)) }
        self.put = { node, configuration in
            guard let value = Value(node: node) else { return .wrongType }
            guard condition(value) else { return .outOfRange }
            set(&configuration, value)
            return nil
        }
    }

    /// A number within a range.
    init<Value: SettingValue & Comparable>(
        _ key: String, _ path: Place<Value>, _ range: ClosedRange<Value>
    ) {
        self.init(key, path, allowed: "\(Value.expected) from \(range.lowerBound) to \(range.upperBound)") {
            range.contains($0)
        }
    }

    /// A list of numbers, each within a range.
    init<Value: SettingValue & Comparable>(
        _ key: String, _ path: Place<[Value]>, each range: ClosedRange<Value>,
        count: ClosedRange<Int>
    ) {
        let number =
            count.lowerBound == count.upperBound ? "\(count.lowerBound)" : "\(count.lowerBound) to \(count.upperBound)"
        self.init(
            key, path, allowed: "a list of \(number) numbers from \(range.lowerBound) to \(range.upperBound)"
        ) { count.contains($0.count) && $0.allSatisfy(range.contains) }
    }

    /// A crop size, each side within what the networks take.
    init(_ key: String, crop path: Place<CropSize>) {
        let range = 33...8_192
        self.init(key, path, allowed: "[height, width], each from \(range.lowerBound) to \(range.upperBound)") {
            range.contains($0.height) && range.contains($0.width)
        }
    }

    /// A name that is not empty.
    init(_ key: String, name path: Place<String>) {
        self.init(key, path, allowed: "a name") { !$0.isEmpty }
    }
}

extension Setting {
    /// Every key there is, in the order of a written file.
    package static let all = dataSettings + searchSettings + trainSettings + evaluateSettings + generalSettings

    /// The same by their keys.
    static let byKey = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })

    private static var dataSettings: [Setting] {
        [
            Setting("data.root", \.data.root),
            Setting("data.format", \.data.format),
            Setting("data.classes.file", \.data.classes.file),
            Setting("data.classes.names", \.data.classes.names, allowed: "a list of at most 255 names") {
                $0.count <= 255
            },
            Setting("data.classes.colors", \.data.classes.colors, allowed: "a list of colours as \"#rrggbb\"") {
                $0.count <= 255 && $0.allSatisfy { Color(hex: $0) != nil }
            },
            Setting("data.classes.known", \.data.classes.known),
            Setting("data.masks", \.data.masks),
            Setting("data.labels.ignore", \.data.labels.ignore, each: 0...65_535, count: 0...65_536),
            Setting(
                "data.labels.map", \.data.labels.map, allowed: "{label: class}, labels from 0 to 65535, classes to 255"
            ) { map in
                map.allSatisfy { (0...65_535).contains($0.key) && (0...255).contains($0.value) }
            },
            Setting("data.splits.train", name: \.data.splits.train),
            Setting("data.splits.val", name: \.data.splits.val),
            Setting("data.splits.test", name: \.data.splits.test),
            Setting("data.splits.file", \.data.splits.file),
            Setting("data.workers", \.data.workers, 1...256),
            Setting("data.cacheMegabytes", \.data.cacheMegabytes, 0...1_048_576),
            Setting("data.allowOutsideRoot", \.data.allowOutsideRoot),
            Setting("data.longerSide", \.data.longerSide, allowed: "0, or a whole number from 33 to 8192") {
                $0 == 0 || (33...8_192).contains($0)
            },
            Setting("data.megapixels", \.data.megapixels, 1...100_000),
            Setting(
                "data.range", \.data.range, allowed: "[], or [low, high] of numbers from 0 to 65535, low below high"
            ) { $0.isEmpty || $0.count == 2 && ValueRange(low: $0[0], high: $0[1]) != nil },
            Setting("data.channels", \.data.channels, ChannelNormalization.possibleChannels),
            Setting("data.shown", \.data.shown, allowed: "[], or one or three channels from 0 to 31") {
                Image.canShow($0, of: ChannelNormalization.possibleChannels.upperBound)
            },
            Setting("data.tiles.size", crop: \.data.tiles.size),
            Setting("data.tiles.cache", \.data.tiles.cache),
            Setting("data.minimumLabelledPixels", \.data.minimumLabelledPixels, 0...1_000_000_000),
        ]
    }

    private static func augmentSettings(_ group: String, _ path: Place<AugmentConfiguration>) -> [Setting] {
        // A key path to a group and one within it make none that can be written through and shared by threads.
        func setting(
            _ name: String, _ field: WritableKeyPath<AugmentConfiguration, Double> & Sendable,
            _ range: ClosedRange<Double>
        ) -> Setting {
            Setting(
                "\(group).augment.\(name)", get: { $0[keyPath: path][keyPath: field] },
                set: { $0[keyPath: path][keyPath: field] = $1 },
                allowed: "\(Double.expected) from \(range.lowerBound) to \(range.upperBound)", where: range.contains)
        }
        return [
            setting("maximumClassShare", \.maximumClassShare, 0.01...1),
            setting("brightness", \.brightness, 0...1),
            setting("contrast", \.contrast, 0...1),
            setting("saturation", \.saturation, 0...1),
            setting("hue", \.hue, 0...0.5),
            setting("blur", \.blur, 0...20),
            setting("rotation", \.rotation, 0...180),
        ]
    }

    private static var searchSettings: [Setting] {
        [
            Setting("search.method", \.search.method),
            Setting("search.space", \.search.space),
            Setting("search.decoder.epochs", \.search.decoder.epochs, 0...100_000),
            Setting("search.decoder.images", \.search.decoder.images, 0...10_000_000),
            Setting("search.decoder.batch", \.search.decoder.batch, 0...1_024),
            Setting("search.decoder.channels", \.search.decoder.channels, 1...4_096),
            Setting("search.decoder.repeats", \.search.decoder.repeats, 1...8),
            Setting("search.decoder.stopping", \.search.decoder.stopping),
            Setting("search.candidates", \.search.candidates, 1...1_000),
            Setting("search.reduction", \.search.reduction, 2...100),
            Setting("search.equalTime", \.search.equalTime),
            Setting(
                "search.pool", \.search.pool, allowed: "a list of genotype files, runs, known networks and encoders"),
            Setting("search.poolSteps", \.search.poolSteps, each: 1...1_000_000, count: 0...1_000),
            Setting("search.supernet", \.search.supernet),
            Setting("search.scored", \.search.scored, 1...100_000),
            Setting("search.controller.feedback", \.search.controller.feedback),
            Setting("search.controller.rule", \.search.controller.rule),
            Setting("search.controller.learningRate", \.search.controller.learningRate, 1e-9...1),
            Setting("search.controller.entropy", \.search.controller.entropy, 0...1_000),
            Setting("search.controller.reward", \.search.controller.reward),
            Setting("search.controller.stopping", \.search.controller.stopping),
            Setting("search.limits.milliseconds", \.search.limits.milliseconds, 0...1e9),
            Setting("search.limits.multiplyAdds", \.search.limits.multiplyAdds, 0...1e18),
            Setting("search.limits.parameters", \.search.limits.parameters, 0...1e12),
            Setting("search.layers", \.search.layers, 2...64),
            Setting("search.blocks", \.search.blocks, 1...16),
            Setting("search.filters", \.search.filters, 1...512),
            Setting("search.cells", \.search.cells),
            Setting("search.resizePrevious", \.search.resizePrevious),
            Setting("search.residual", \.search.residual),
            Setting("search.stem", \.search.stem),
            Setting("search.encoderLearningRate", \.search.encoderLearningRate, 0...100),
            Setting("search.atrous", \.search.atrous),
            Setting("search.longSkips", \.search.longSkips),
            Setting("search.separableHeads", \.search.separableHeads),
            Setting("search.poolingBatchNorm", \.search.poolingBatchNorm),
            Setting("search.epochs", \.search.epochs, 1...1_000_000),
            Setting("search.architectureFrom", \.search.architectureFrom, 0...1_000_000),
            Setting("search.batch", \.search.batch, 1...1_024),
            Setting("search.resize", \.search.resize, 0.0625...4),
            Setting("search.crop", crop: \.search.crop),
            Setting("search.scales", \.search.scales, each: 0.1...8, count: 1...64),
            Setting("search.flip", \.search.flip),
        ] + augmentSettings("search", \.search.augment) + [
            Setting("search.loss", \.search.loss),
            Setting("search.weights.optimizer", \.search.weights.optimizer),
            Setting("search.weights.learningRate", \.search.weights.learningRate, 0...10),
            Setting("search.weights.finalLearningRate", \.search.weights.finalLearningRate, 0...10),
            Setting("search.weights.momentum", \.search.weights.momentum, 0...0.9999),
            Setting("search.weights.weightDecay", \.search.weights.weightDecay, 0...1),
            Setting("search.weights.clip", \.search.weights.clip, 0...1e6),
            Setting("search.architecture.learningRate", \.search.architecture.learningRate, 0...10),
            Setting("search.architecture.weightDecay", \.search.architecture.weightDecay, 0...1),
            Setting("search.architecture.betas", \.search.architecture.betas, each: 0...0.999999, count: 2...2),
            Setting("search.architecture.entropy", \.search.architecture.entropy, 0...1_000),
            Setting("search.architecture.path", \.search.architecture.path),
            Setting(
                "search.architecture.temperature", \.search.architecture.temperature, each: 0.001...1_000, count: 2...2),
            Setting("search.architecture.firstLayer", \.search.architecture.firstLayer),
            Setting("search.architecture.price", \.search.architecture.price, 0...1_000),
            Setting("search.architecture.priceOf", \.search.architecture.priceOf),
            Setting("search.selection.by", \.search.selection.by),
            Setting("search.selection.epochs", \.search.selection.epochs, 1...100_000),
            Setting("search.selection.images", \.search.selection.images, 0...10_000_000),
            Setting("search.batchNorm.eps", \.search.batchNorm.eps, 1e-12...1),
            Setting("search.batchNorm.momentum", \.search.batchNorm.momentum, 0...1),
            Setting("search.recompute", \.search.recompute),
            Setting("search.validateEvery", \.search.validateEvery, 1...1_000_000),
            Setting("search.validationImages", \.search.validationImages, 0...10_000_000),
        ]
    }

    private static var trainSettings: [Setting] {
        [
            Setting("train.filters", \.train.filters, 1...1_024),
            Setting("train.residual", \.train.residual),
            Setting("train.stemChannels", \.train.stemChannels, each: 1...4_096, count: 3...3),
            Setting("train.asppChannels", \.train.asppChannels, 1...4_096),
            Setting("train.decoderChannels", \.train.decoderChannels, 1...4_096),
            Setting("train.lowLevelChannels", \.train.lowLevelChannels, 1...4_096),
            Setting("train.head", \.train.head),
            Setting("train.decoderStride", \.train.decoderStride, allowed: "1, 2 or 4") {
                NetworkWidths.decoderStrides.contains($0)
            },
            Setting("train.fineChannels", \.train.fineChannels, 1...4_096),
            Setting("train.encoder", \.train.encoder),
            Setting("train.decoder", \.train.decoder),
            Setting("train.encoderWeights", \.train.encoderWeights),
            Setting("train.encoderLearningRate", \.train.encoderLearningRate, 0...100),
            Setting("train.freezeEpochs", \.train.freezeEpochs, 0...10_000_000),
            Setting("train.frozenImages", \.train.frozenImages, 0...10_000_000),
            Setting("train.frozenBatch", \.train.frozenBatch, 0...1_024),
            Setting("train.frozenMegabytes", \.train.frozenMegabytes, 0...1_048_576),
            Setting("train.freezeBatchNorm", \.train.freezeBatchNorm),
            Setting("train.unetChannels", \.train.unetChannels, each: 1...4_096, count: 4...4),
            Setting("train.lightChannels", \.train.lightChannels, 1...4_096),
            Setting("train.cellChannels", \.train.cellChannels, 1...4_096),
            Setting("train.cellRepeats", \.train.cellRepeats, 1...8),
            Setting("train.auxiliaryCells", \.train.auxiliaryCells, 0...100),
            Setting("train.separableDecoder", \.train.separableDecoder),
            Setting("train.epochs", \.train.epochs, 0...10_000_000),
            Setting("train.stepsPerEpoch", \.train.stepsPerEpoch, 0...1_000_000),
            Setting("train.iterations", \.train.iterations, 0...1_000_000_000),
            Setting("train.batch", \.train.batch, 1...1_024),
            Setting("train.resize", \.train.resize, 0.0625...4),
            Setting("train.crop", crop: \.train.crop),
            Setting("train.scales", \.train.scales, each: 0.1...8, count: 1...64),
            Setting("train.flip", \.train.flip),
        ] + augmentSettings("train", \.train.augment) + [
            Setting("train.optimizer", \.train.optimizer),
            Setting("train.schedule", \.train.schedule),
            Setting("train.learningRate", \.train.learningRate, 0...10),
            Setting("train.power", \.train.power, 0...10),
            Setting("train.momentum", \.train.momentum, 0...0.9999),
            Setting("train.weightDecay", \.train.weightDecay, 0...1),
            Setting("train.decayNormalization", \.train.decayNormalization),
            Setting("train.classWeights", \.train.classWeights, each: 0...1_000, count: 0...256),
            Setting("train.balanced", \.train.balanced),
            Setting("train.loss.ohemFraction", \.train.loss.ohemFraction, 0.001...1),
            Setting("train.loss.labelSmoothing", \.train.loss.labelSmoothing, 0...0.9),
            Setting("train.loss.dice", \.train.loss.dice, 0...100),
            Setting("train.teacher", \.train.teacher),
            Setting("train.distillation.weight", \.train.distillation.weight, 0...1),
            Setting("train.distillation.temperature", \.train.distillation.temperature, 0.1...100),
            Setting("train.distillation.classWeights", \.train.distillation.classWeights),
            Setting(
                "train.auxiliary.layers", \.train.auxiliary.layers, allowed: "a list of different layers from 1 to 64"
            ) { layers in
                Set(layers).count == layers.count && layers.allSatisfy { (1...64).contains($0) }
            },
            Setting("train.auxiliary.weight", \.train.auxiliary.weight, 0...10),
            Setting("train.accumulate", \.train.accumulate, 1...1_024),
            Setting("train.emaDecay", \.train.emaDecay, 0...0.999999),
            Setting("train.clip", \.train.clip, 0...1e6),
            Setting("train.warmupSteps", \.train.warmupSteps, 0...100_000_000),
            Setting("train.dropPathKeep", \.train.dropPathKeep, 0.01...1),
            Setting("train.batchNormDecay", \.train.batchNormDecay, 0...0.999999),
            Setting("train.preciseBatchNorm", \.train.preciseBatchNorm, 0...1_000_000),
            Setting("train.dropoutKeep", \.train.dropoutKeep, 0.01...1),
            Setting("train.validateEvery", \.train.validateEvery, 1...1_000_000),
            Setting("train.validationImages", \.train.validationImages, 0...10_000_000),
        ]
    }

    private static var evaluateSettings: [Setting] {
        [
            Setting("evaluate.scales", \.evaluate.scales, each: 0.1...8, count: 1...64),
            Setting("evaluate.flip", \.evaluate.flip),
            Setting("evaluate.window", \.evaluate.window, allowed: "0, or a whole number from 33 to 16384") {
                $0 == 0 || (33...16_384).contains($0)
            },
            Setting("evaluate.overlap", \.evaluate.overlap, 0...0.9),
            Setting("evaluate.boundary", \.evaluate.boundary, 0...0.1),
            Setting("evaluate.worst", \.evaluate.worst, 0...1_000),
        ]
    }

    private static var generalSettings: [Setting] {
        [
            Setting("card.license", \.card.license),
            Setting("checkpoint.every", \.checkpoint.every),
            Setting("checkpoint.keep", \.checkpoint.keep, 1...1_000),
            Setting("onNonFinite", \.onNonFinite),
            Setting("seed", \.seed, 0...Int.max),
            Setting("threads", \.threads, 0...4_096),
            Setting("device", \.device),
            Setting("precision", \.precision),
        ]
    }
}
