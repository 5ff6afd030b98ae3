import Datasets
import Foundation
import Segmentation

/// Training images a second on one thread: decoded, scaled, cropped, mirrored and normalised; with and without cache.
///
/// `Benchmarks/pillow_loading.py` does the same by Pillow and numpy.
@main
struct Loading {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 1 else {
            print("usage: Loading CAMVID [CROP] [RESIZE]")
            return
        }
        let crop = arguments.count > 2 ? Int(arguments[2]) ?? 321 : 321
        let resize = arguments.count > 3 ? Double(arguments[3]) ?? 1 : 1
        let dataset = try Dataset(root: arguments[1], classes: KnownClasses.camvid.table, ignoring: [11])
        let samples = try dataset.samples(.train)
        let augmentation = Augmentation(
            cropHeight: crop, cropWidth: crop, scales: Augmentation.scales(from: 0.5, to: 2, step: 0.25))
        print("\(samples.count) pairs, crop \(crop), scales 0.5 to 2, flip, resize \(resize), 1 thread")
        for (name, bytes) in [("decoding each image", 0), ("cache filled", 1 << 30)] {
            let loader = try BatchLoader(
                samples: samples, reader: dataset.reader(resize: resize), augmentation: augmentation,
                options: .init(batchSize: 1, seed: 1, workers: 0, cacheBytes: bytes))
            // An epoch warms the files' pages, and fills the cache.
            for _ in 0..<loader.batchesPerEpoch { _ = try loader.next() }
            let rates = try (0..<5).map { _ in
                let start = threadSeconds()
                for _ in 0..<loader.batchesPerEpoch { _ = try loader.next() }
                return Double(loader.batchesPerEpoch) / (threadSeconds() - start)
            }.sorted()
            print(
                name.padding(toLength: 24, withPad: " ", startingAt: 0)
                    + String(
                        format: "median %.1f images/s of processor time, %.1f to %.1f", rates[2], rates[0], rates[4]))
        }
    }

    /// Processor time of this thread, which other programs beside it hardly lengthen.
    private static func threadSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
