import Foundation
import Images
import Inference
import Torch

/// Answers uploads by one shared model: `ServeImages runs/train *.png` (docs/SERVING.md).
///
/// Files stand for uploads here. A server's framework would hand in the bytes and take the answer's.
@main
struct ServeImages {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 2 else { return print("usage: ServeImages MODEL UPLOAD...") }
        let service = SegmentationService(model: try Model(at: arguments[1]))
        // Each task computes by itself: most images a second.
        Engine.threads = 1
        let uploads = arguments.dropFirst(2)
        let atOnce = ProcessInfo.processInfo.activeProcessorCount
        try await withThrowingTaskGroup(of: String.self) { group in
            for (index, path) in uploads.enumerated() {
                // No more than so many at once, so that memory is bounded.
                if index >= atOnce, let line = try await group.next() { print(line) }
                let upload = try Data(contentsOf: URL(fileURLWithPath: path))
                group.addTask { service.answer(upload, name: path) }
            }
            for try await line in group { print(line) }
        }
    }
}

/// What is the same for all requests.
struct SegmentationService: Sendable {
    let model: Model
    /// Bytes and pixels that an upload may have.
    var limits = ReadLimits(pixels: 20_000_000, fileBytes: 32 << 20)

    /// The share of each class in an upload, or what is wrong with it.
    func answer(_ upload: Data, name: String) -> String {
        do {
            let mask = model.segment(try readImage(data: upload, name: name, channels: model.channels, limits: limits))
            let counts = Dictionary(grouping: mask.labels, by: { $0 }).mapValues(\.count)
            let shares = counts.sorted { $0.value > $1.value }.prefix(3).map { label, count in
                "\(model.classes.names[Int(label)]) \(100 * count / mask.labels.count) %"
            }
            return "\(name): \(shares.joined(separator: ", "))"
        } catch {
            return "\(error)"
        }
    }
}
