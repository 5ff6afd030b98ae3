import Datasets
import Foundation
import Images
import Segmentation
import TestSupport
import Testing

@Suite struct BatchLoaderTests {
    private let folder: TemporaryFolder
    private let samples: [Sample]
    private let reader = SampleReader(labels: LabelMap(classes: 5))
    private let augmentation = Augmentation(
        cropHeight: 17, cropWidth: 19, scales: Augmentation.scales(from: 0.5, to: 2, step: 0.25))

    init() throws {
        folder = try TemporaryFolder()
        samples = try folder.writeSamplesOfManySizes()
    }

    private func loader(
        workers: Int, position: LoaderPosition = LoaderPosition(), cacheBytes: Int = 1 << 20, seed: UInt64 = 7
    ) throws -> BatchLoader {
        try BatchLoader(
            samples: samples, reader: reader, augmentation: augmentation,
            options: .init(batchSize: 3, seed: seed, workers: workers, cacheBytes: cacheBytes), position: position)
    }

    @Test(arguments: [1, 2, 4]) func streamDoesNotDependOnWorkers(workers: Int) throws {
        let (plain, threaded) = (try loader(workers: 0, cacheBytes: 0), try loader(workers: workers))
        for _ in 0..<10 {
            let (expected, batch) = (try plain.next(), try threaded.next())
            #expect(batch.images == expected.images)
            #expect(batch.labels == expected.labels)
            #expect(batch.indices == expected.indices)
        }
    }

    @Test func resumesFromAnyPosition() throws {
        let whole = try loader(workers: 2)
        var batches: [Batch] = []
        var positions: [LoaderPosition] = []
        for _ in 0..<8 {
            positions.append(whole.position)
            batches.append(try whole.next())
        }
        #expect(positions[3] == LoaderPosition(epoch: 1, batch: 0))
        for start in 0..<8 {
            let stored = try JSONEncoder().encode(positions[start])
            let position = try JSONDecoder().decode(LoaderPosition.self, from: stored)
            let rest = try loader(workers: 1, position: position)
            for index in start..<8 {
                let batch = try rest.next()
                #expect(batch.images == batches[index].images && batch.labels == batches[index].labels)
                #expect(batch.position == positions[index])
            }
        }
    }

    @Test func epochsVisitDistinctSamplesInNewOrders() throws {
        let loader = try loader(workers: 1)
        #expect(loader.batchesPerEpoch == 3)
        let epochs = try (0..<4).map { _ in try (0..<3).flatMap { _ in try loader.next().indices } }
        for epoch in epochs { #expect(Set(epoch).count == 9) }
        #expect(Set(epochs).count == 4)
        let other = try self.loader(workers: 1, seed: 8)
        #expect(try (0..<3).flatMap { _ in try other.next().indices } != epochs[0])
    }

    @Test func errorsOfWorkersNameTheFileAndStay() throws {
        try folder.write([1, 2, 3], to: "masks/train/s4.png")
        let loader = try loader(workers: 2)
        var message = ""
        for _ in 0..<6 {
            if let found = failure({ _ = try loader.next() }) {
                message = found
                #expect(failure { _ = try loader.next() } == found)
                break
            }
        }
        #expect(
            message.hasSuffix("masks/train/s4.png: is no image of a known format (PNG, JPEG, TIFF, BMP, WebP, GIF)"))
        loader.stop()
        #expect(failure { _ = try loader.next() } == "loader: was stopped")
    }

    @Test func labelOutOfRangeStopsWithFileAndValue() throws {
        var mask = rampMask(width: 25, height: 29)
        mask[3, 2] = 5
        try writePNG(mask, palette: [], to: folder.place("masks/train/s1.png"))
        let message = failure { _ = try reader.read(samples.first { $0.name == "s1" } ?? samples[0]) }
        #expect(message?.contains("s1.png: has the label 5 at column 3, row 2, but there are 5 classes") == true)
    }

    @Test func unequalSizesAreRefused() throws {
        try writePNG(rampMask(width: 24, height: 29), palette: [], to: folder.place("masks/train/s0.png"))
        let message = failure { _ = try reader.read(samples[0]) }
        #expect(message?.contains("s0.png: is 24x29 pixels, but its image") == true)
    }

    @Test func loadersAreDroppedInMidStreamWithoutHanging() throws {
        for _ in 0..<20 { _ = try loader(workers: 3).next() }
        _ = try loader(workers: 3)
    }

    @Test func badSettingsAreRefused() throws {
        #expect(
            failure { _ = try loader(workers: 1, position: LoaderPosition(epoch: 0, batch: 4)) }?
                .contains("an epoch has 3 batches") == true)
        let none = failure {
            _ = try BatchLoader(
                samples: [], reader: reader, augmentation: augmentation, options: .init(batchSize: 3, seed: 1))
        }
        #expect(none?.contains("no images for a loader") == true)
    }

    /// Two images in batches of five: each comes twice at least, and never alike.
    @Test func fewSamplesAreRepeatedInABatch() throws {
        let loader = try BatchLoader(
            samples: Array(samples.prefix(2)), reader: reader, augmentation: augmentation,
            options: .init(batchSize: 5, seed: 1))
        #expect(loader.batchesPerEpoch == 1)
        for _ in 0..<4 {
            let batch = try loader.next()
            #expect(Set(batch.indices) == [0, 1] && batch.indices.count == 5)
            let area = batch.height * batch.width
            #expect(Set((0..<5).map { Array(batch.labels[$0 * area..<($0 + 1) * area]) }).count > 2)
        }
    }

    @Test func balancedSamplesShowRareClassesAsOften() throws {
        // One sample in eleven holds the class 4; drawn by classes it comes in half of the cases.
        let classes: [Set<UInt8>] = (0..<11).map { $0 == 3 ? [4] : [0, 255] }
        var options = BatchLoader.Options(batchSize: 10, seed: 3)
        options.balance = ClassBalance(classesOfSamples: classes)
        let loader = try BatchLoader(samples: samples, reader: reader, augmentation: augmentation, options: options)
        let drawn = try (0..<40).flatMap { _ in try loader.next().indices }
        let rare = drawn.filter { $0 == 3 }.count
        #expect((150...250).contains(rare))
        let read = try ClassBalance(samples: samples, reader: reader, workers: 2)
        #expect(read == ClassBalance(classesOfSamples: samples.map { _ in [0, 1, 2, 3, 4] }))
        #expect(ClassBalance(classesOfSamples: [[255], []]) == nil)
    }

    @Test(arguments: [1, 3]) func everyAugmentationIsTheSameWithAnyNumberOfWorkers(workers: Int) throws {
        var all = augmentation
        all.maximumClassShare = 0.3
        all.rotation = 20
        all.blur = 2
        all.color.brightness = 0.3
        all.color.hue = 0.1
        func loader(workers: Int) throws -> BatchLoader {
            try BatchLoader(
                samples: samples, reader: reader, augmentation: all,
                options: .init(batchSize: 3, seed: 7, workers: workers))
        }
        let (plain, threaded) = (try loader(workers: 0), try loader(workers: workers))
        for _ in 0..<7 {
            let (expected, batch) = (try plain.next(), try threaded.next())
            #expect(batch.images == expected.images && batch.labels == expected.labels)
        }
    }

    @Test func evaluationGoesThroughWholeImagesInOrder() throws {
        let loader = EvaluationLoader(
            samples: samples, reader: SampleReader(labels: LabelMap(classes: 5), resize: 0.5), workers: 2)
        var names: [String] = []
        while let item = try loader.next() {
            names.append(item.sample.name)
            #expect(item.image.width == (item.mask.width + 1) / 2)
            #expect(item.mask == rampMask(width: item.mask.width, height: item.mask.height))
        }
        #expect(names == samples.map(\.name))
    }

    @Test(arguments: [0, 1, 2, 7, 100]) func halvesAreDisjointAndRandom(count: Int) {
        let (first, second) = halves(count: count, seed: 3)
        #expect(first.count == (count + 1) / 2 && second.count == count / 2)
        #expect((first + second).sorted() == Array(0..<count))
        #expect(halves(count: count, seed: 3).first == first)
        if count == 100 {
            #expect(halves(count: count, seed: 4).first != first)
            #expect(first != Array(0..<50))
        }
    }
}
