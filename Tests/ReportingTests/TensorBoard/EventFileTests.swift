import Foundation
import Reporting
import TestSupport
import Testing

/// Event files against TensorBoard's own reader.
@Suite("TensorBoard", .enabled(if: Python.has("tensorboard"), Comment(rawValue: Python.missing)))
struct EventFileTests {
    /// What TensorBoard's reader finds in a folder, as lines.
    private func read(_ folder: TemporaryFolder) throws -> [String] {
        let script = """
            import sys
            from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
            from tensorboard.plugins.hparams import metadata
            events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "histograms": 0, "images": 0})
            events.Reload()
            tags = events.Tags()
            for tag in tags["scalars"]:
                print(tag, [(e.step, round(e.value, 4)) for e in events.Scalars(tag)])
            for tag in tags["histograms"]:
                for e in events.Histograms(tag):
                    v = e.histogram_value
                    print(tag, e.step, v.num, round(v.sum, 4), [(round(l, 2), n) for l, n in zip(v.bucket_limit, v.bucket) if n])
            for tag in tags["images"]:
                for e in events.Images(tag):
                    print(tag, e.step, e.width, e.height, e.encoded_image_string[1:4].decode())
            for tag in tags["tensors"]:
                print(tag, events.Tensors(tag)[0].tensor_proto.string_val[0].decode())
            content = events.summary_metadata.get("_hparams_/session_start_info")
            if content:
                info = metadata.parse_session_start_info_plugin_data(content.plugin_data.content)
                print({k: v.number_value if v.HasField("number_value") else v.string_value or v.bool_value
                    for k, v in sorted(info.hparams.items())})
            """
        return try Python.run(script, folder.path).split(separator: "\n").map(String.init).filter {
            !$0.contains("WARN")
        }
    }

    /// A PNG's head: all that tells its size.
    private let png = Data([137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 1, 2, 0, 0, 0, 3])

    @Test("Every kind of value is read back")
    func kinds() throws {
        let folder = try TemporaryFolder()
        let file = try EventFile(folder: folder.path, after: 0)
        #expect(file.isNew)
        try file.append(
            step: 0,
            [
                ("configuration", .text("a: **b**")),
                ("_hparams_/session_start_info", .settings(["lr": "0.5", "flip": "true", "name": "x"])),
            ])
        try file.append(step: 3, [("run/loss", .scalar(1.25)), ("alpha/skip", .shares([0.1, 0.125, 0.99, 1]))])
        try file.append(step: 6, [("run/loss", .scalar(0.5)), ("samples", .picture(png: png))])
        let lines = try read(folder)
        #expect(lines.contains("run/loss [(3, 1.25), (6, 0.5)]"))
        #expect(lines.contains("alpha/skip 3 4.0 2.215 [(0.15, 2.0), (1.0, 2.0)]"))
        #expect(lines.contains("samples 6 258 3 PNG"))
        #expect(lines.contains("configuration a: **b**"))
        #expect(lines.contains("{'flip': True, 'lr': 0.5, 'name': 'x'}"))
    }

    @Test("A run that goes on takes off what came after its checkpoint, and what was cut short")
    func resume() throws {
        let folder = try TemporaryFolder()
        do {
            let file = try EventFile(folder: folder.path, after: 0)
            for step in [5, 10, 15] { try file.append(step: step, [("run/loss", .scalar(Double(step)))]) }
        }
        let name = try #require(try folder.contents().first)
        let url = URL(fileURLWithPath: folder.file(name))
        let whole = try Data(contentsOf: url)
        try whole.dropLast(7).write(to: url)
        do {
            let file = try EventFile(folder: folder.path, after: 5)
            #expect(!file.isNew)
            for step in [10, 15, 20] { try file.append(step: step, [("run/loss", .scalar(Double(-step)))]) }
        }
        #expect(try folder.contents() == [name])
        #expect(try read(folder) == ["run/loss [(5, 5.0), (10, -10.0), (15, -15.0), (20, -20.0)]"])
    }
}
