import Configurations
import Datasets
import Foundation
import Images
import Inference
import Reporting
import Runs
import SearchSpace
import Segmentation
import Torch

/// What people watch of a run, brought up to date at the end of each epoch: TensorBoard's events and report.html.
///
/// Both are made from the lines of log.jsonl, so a run that is resumed shows each epoch once.
final class RunDashboard {
    private let folder: RunFolder
    private let classes: ClassTable
    private let events: EventFile
    /// What the log holds.
    private var records: [RunRecord]

    /// Opens the event file behind a step, that of the checkpoint from which the run goes on.
    init(_ folder: RunFolder, _ configuration: Configuration, classes: ClassTable, after step: Int) throws {
        self.folder = folder
        self.classes = classes
        records = RunRecord.all(in: optionalContents(of: folder.paths.log) ?? Data())
        events = try EventFile(folder: folder.paths.folder, after: step)
        if events.isNew {
            let yaml = "```yaml\n" + configuration.yaml() + "```"
            let settings = EventValue.settings(configuration.texts)
            try events.append(
                step: 0, [("configuration", .text(yaml)), ("_hparams_/session_start_info", settings)])
        }
    }

    /// Shows an epoch.
    ///
    /// - Parameters:
    ///   - line: Its line of the log.
    ///   - samples: Images, truths and predictions in rows, where the epoch was validated.
    ///   - confusion: Pixels by label and prediction, where it was.
    /// - Throws: An error that names the file which cannot be written.
    func update(_ line: String, samples: Image?, confusion: ConfusionMatrix?) throws {
        guard ProcessGroup.isLeader else { return }
        let paths = folder.paths
        if let samples {
            try AtomicFile.write(
                try pngData(samples, file: paths.samples), to: paths.samples, below: paths.folder, waitsForDisk: false)
        }
        if let record = RunRecord.all(in: Data(line.utf8)).last {
            records.append(record)
            try events.append(
                step: record.step,
                record.events(classes: classes.names)
                    + pictures(of: record, samples: samples, confusion: confusion))
        }
        try writeReport(ofRun: folder.path, records: records, classes: classes)
    }

    private func pictures(
        of record: RunRecord, samples: Image?, confusion: ConfusionMatrix?
    ) throws -> [(String, EventValue)] {
        var pictures: [(String, EventValue)] = []
        func add(_ name: String, _ image: Image) throws {
            pictures.append((name, .picture(png: try pngData(image))))
        }
        if let samples { try add("samples", samples) }
        if let confusion { try add("confusion", .heatMap(confusion.shares, side: confusion.classes > 32 ? 4 : 16)) }
        if let alpha = record.alpha { try add("alpha", .heatMap(alpha)) }
        if let beta = record.beta, let space = SearchedSpace(of: record)?.network {
            // A row for each stride and move, a column for each layer that the arrow leaves.
            let rows = Stride.allCases.flatMap { stride in
                Move.allCases.map { move in
                    (0..<space.layers).map { layer in
                        let arrow = space.groups.first { $0.source == Node(layer: layer, stride: stride) }?.arrows
                            .first { $0.move == move }
                        return arrow.map { beta[$0.index] } ?? 0
                    }
                }
            }
            try add("beta", .heatMap(rows))
        }
        if let genotype = record.genotype,
            let png = try? rasterize(
                drawGenotype(genotype, arrows: record.beta, alpha: record.alpha, gates: record.gates), width: nil)
        {
            pictures.append(("architecture", .picture(png: png)))
        }
        return pictures
    }
}

extension ConfusionMatrix {
    /// Each label's pixels by prediction, as shares of the label's; zeros where it has none.
    fileprivate var shares: [[Double]] {
        (0..<classes).map { label in
            let all = Double(max(1, labelled(label)))
            return (0..<classes).map { Double(self[label, $0]) / all }
        }
    }
}

extension Image {
    /// Numbers from 0 to 1 as squares from white to dark blue, row by row; all rows have one length.
    static func heatMap(_ rows: [[Double]], side: Int = 16) -> Image {
        var image = Image(width: max(1, (rows.first?.count ?? 0) * side), height: max(1, rows.count * side))
        for (row, values) in rows.enumerated() {
            for (column, value) in values.enumerated() {
                let share = value.isFinite ? min(max(value, 0), 1).squareRoot() : 0
                func part(_ low: Double, _ high: Double) -> UInt8 { UInt8(clamping: low + (high - low) * share) }
                let color = Color(part(255, 8), part(255, 48), part(255, 107))
                for y in row * side..<(row + 1) * side {
                    for x in column * side..<(column + 1) * side { image[x, y] = color }
                }
            }
        }
        return image
    }
}

extension Evaluator {
    /// The first images in rows: as they are, their truth, and what the network sees.
    ///
    /// - Throws: An error that names the image which cannot be read.
    func sheet(palette: [Color], rows: Int = 3, network: @escaping Predictor.Network) throws -> Image {
        let pictures = try samples.prefix(rows).map { sample in
            let item = try reader.read(sample)
            let prediction = inference.map(of: item.image, network: network).mask()
            let longest = max(item.image.width, item.image.height)
            let image = item.image.shown(shownChannels)
            return [image, item.mask.colored(palette: palette), prediction.colored(palette: palette)].map {
                longest > 384 ? $0.resized(by: 384 / Double(longest)) : $0
            }
        }
        return Image.grid(pictures)
    }
}
