import Datasets
import Foundation
import Images
import Segmentation
import TestSupport
import Testing

/// Crops that are drawn once.
@Suite struct FixedCropsTests {
    private let folder: TemporaryFolder
    private let samples: [Sample]
    private let reader = SampleReader(labels: LabelMap(classes: 5))
    private let augmentation = Augmentation(
        cropHeight: 17, cropWidth: 19, scales: Augmentation.scales(from: 0.5, to: 2, step: 0.25))

    init() throws {
        folder = try TemporaryFolder()
        samples = try folder.writeSamplesOfManySizes()
    }

    private func crops(_ limit: Int, seed: UInt64 = 7) throws -> FixedCrops {
        try FixedCrops(of: samples, limit: limit, reader: reader, augmentation: augmentation, seed: seed)
    }

    @Test func cropsAreThoseOfALoadersFirstEpoch() throws {
        let loader = try BatchLoader(
            samples: samples, reader: reader, augmentation: augmentation,
            options: .init(batchSize: 1, seed: 7, workers: 0))
        let crops = try crops(8)
        #expect(crops.count == 8)
        for number in 0..<8 {
            let wanted = try loader.next()
            for _ in 0..<2 {
                let crop = try crops(number)
                #expect(crop.images == wanted.images && crop.labels == wanted.labels && crop.count == 1)
            }
            #expect(crops.sample(number).name == samples[wanted.indices[0]].name)
        }
        #expect(try self.crops(100).count == 11)
        let other = try self.crops(8, seed: 8)
        #expect((0..<8).contains { other.sample($0).name != crops.sample($0).name })
    }

    @Test func epochsHaveEachCropOnce() throws {
        let crops = try crops(8)
        let epochs = (0..<3).map { epoch in (0..<4).flatMap { crops.batch(4 * epoch + $0, of: 2) } }
        for epoch in epochs { #expect(epoch.sorted() == Array(0..<8)) }
        #expect(Set(epochs).count == 3)
        // What does not fill a batch is left out; what is too little for one is repeated.
        #expect(Set((0..<2).flatMap { crops.batch($0, of: 3) }).count == 6)
        let repeated = crops.batch(5, of: 20)
        #expect(repeated.count == 20 && (0..<8).allSatisfy { crop in (2...3).contains(repeated.count { $0 == crop }) })
        #expect(crops.batch(5, of: 20) == repeated)
    }
}
