import Configurations
import Foundation
import Images
import Inference
import Networks
import Reporting
import Runs
import SearchSpace
import Torch

/// Writes README.md beside a trained model: what it is, what it was trained on and how, how good it is, how to use it.
///
/// - Parameters:
///   - run: A run folder with a model file.
///   - training: The folder of the training that the model comes from; nil for the same.
/// - Returns: The card's path.
/// - Throws: An error that names the file which cannot be read or written.
@discardableResult
package func writeModelCard(ofRun run: String, trainedIn training: String? = nil) throws -> String {
    let paths = RunPaths(folder: run)
    let card = ModelCard(
        run: run, model: try Model(at: run), configuration: try Configuration.resolve(file: paths.configuration),
        records: RunRecord.all(in: optionalContents(of: RunPaths(folder: training ?? run).log) ?? Data()),
        evaluations: Metrics.all(in: paths),
        teacher: optionalContents(of: paths.teacher).flatMap {
            try? JSONDecoder().decode(TeacherRecord.self, from: $0)
        })
    try AtomicFile.write(Data(card.markdown.utf8), to: paths.card, below: run)
    return paths.card
}

/// What README.md says of a trained model.
struct ModelCard {
    let run: String
    let model: Model
    let configuration: Configuration
    let records: [RunRecord]
    /// The last one of each split.
    let evaluations: [Metrics]
    /// What was kept of the teacher.
    let teacher: TeacherRecord?

    var markdown: String {
        let name = URL(fileURLWithPath: run).standardizedFileURL.lastPathComponent
        let sections = [
            ("Licence", licence), ("Network", network), ("Data", data), ("Training", training), ("Results", results),
            ("Use", use),
        ]
        return """
            # \(name)

            A semantic segmentation network of \(model.classes.count) classes\(origin), trained by autodeeplab \
            \(packageVersion).

            """ + sections.map { "\n## \($0)\n\n\($1)\n" }.joined()
    }

    private var licence: String {
        configuration.card.license.isEmpty
            ? "not stated (`card.license` in the configuration)" : escapedMarkdown(configuration.card.license)
    }

    private var origin: String {
        switch model.network.description {
        case .discrete(let genotype, _):
            " in the search space of Auto-DeepLab (Liu et al., CVPR 2019)"
                + (genotype.stem.encoder.map { " on the first blocks of \($0.rawValue)" } ?? "")
        case .encoded(let own): ": \(own.encoder.rawValue) with the decoder \(own.decoder.rawValue)"
        }
    }

    private var network: String {
        let crop = configuration.train.crop
        let cost = model.network.description.cost(height: crop.height, width: crop.width)
        return """
            \(architecture)
            | parameters | \(cost.parameters) |
            | multiply-adds at \(crop.height)x\(crop.width) | \(cost.multiplyAdds) |
            """
    }

    /// What the network consists of, up to a table that goes on.
    private var architecture: String {
        switch model.network.description {
        case .discrete(let genotype, let shape):
            let lines = String(decoding: genotype.json(), as: UTF8.self).split(separator: "\n")
            let count = model.network.description.residualLayers
            let residual = count == 0 ? "" : ", residual connections in \(count) layers"
            return """
                \(lines.map { "    \($0)" }.joined(separator: "\n"))

                | | |
                |---|---|
                | filters F | \(shape.filters)\(residual) |
                | stem, ASPP, decoder, low-level channels | \(shape.stemChannels.map(String.init).joined(separator: ", ")); \
                \(shape.asppChannels); \(shape.decoderChannels); \(shape.lowLevelChannels) |
                | head; stride of the scores | \(shape.head.rawValue); \(shape.layout(of: genotype).scoreStride) |\(channels)\
                \(genotype.stem.encoder.map { "\n| stem | \(genotype.stem.rawValue), \(encoderOrigin) |\n" + reading($0) } ?? "")
                """
        case .encoded(let shape):
            let genotype = shape.decoder.genotype.map { String(decoding: $0.json(), as: UTF8.self) } ?? ""
            return genotype.split(separator: "\n").map { "    \($0)\n" }.joined() + (genotype.isEmpty ? "" : "\n") + """
                | | |
                |---|---|
                | encoder | \(shape.encoder.rawValue), \(encoderOrigin) |
                | decoder | \(shape.decoder.rawValue) |
                | channels | \(shape.channels.map(String.init).joined(separator: ", ")) |
                """ + (shape.imageChannels == 3 ? "\n" + reading(shape.encoder) : "")
        }
    }

    /// A line about the values that an encoder sees of colours; others it takes as they are normalised.
    private func reading(_ encoder: EncoderKind) -> String {
        let (mean, deviation) = encoder.family.colors
        return
            "| the encoder reads (x - mean) / deviation of bytes x | mean \(list(mean)); deviation \(list(deviation)) |"
    }

    /// A line about images that are no colours.
    private var channels: String {
        let normalization = model.normalization
        if normalization == .color { return "" }
        return
            "\n| channels of the images, which it reads as (x - mean) / deviation of bytes x | \(model.channels): mean"
            + " \(list(normalization.means)); deviation \(list(normalization.deviations)) |"
    }

    private func list(_ values: [Double]) -> String {
        values.map { String(format: "%g", $0) }.joined(separator: ", ")
    }

    private var encoderOrigin: String {
        configuration.train.encoderWeights == "none"
            ? "trained from scratch" : "with weights trained on ImageNet at first"
    }

    private var data: String {
        let data = configuration.data
        // The folder's name alone: where it lies on this machine is nobody's business.
        let folder = URL(fileURLWithPath: data.root).lastPathComponent
        let names = model.classes.names.map(escapedMarkdown).joined(separator: ", ")
        return """
            | | |
            |---|---|
            | folder | \(escapedMarkdown(folder)) |
            | layout | \(data.format.rawValue) |
            | trained on, validated on | \(escapedMarkdown(data.splits.train)), \(escapedMarkdown(data.splits.val)) |
            | images resized | \(model.scaling.longerSide.map { "to a longer side of \($0)" } ?? "by \(model.scaling.factor)") |
            | classes | \(names) |
            """
    }

    private var training: String {
        // The teacher has a paragraph of its own, without the place of its file.
        let keys = configuration.texts.filter {
            $0.key.hasPrefix("train.") && $0.key != "train.teacher" && $0.value != Self.defaults[$0.key]
        }
        let changed = keys.sorted { $0.key < $1.key }.map { "    \($0.key): \($0.value)" }
        let steps = records.last.map { "\($0.step) steps, \($0.epoch + 1) epochs" } ?? "no epoch finished"
        return """
            \(steps); seed \(configuration.seed). \
            \(configuration.train.optimizer == .sgd ? "SGD" : "AdamW") under a \(configuration.train.schedule.rawValue) \
            schedule, \(loss), settings as in `config.yaml`; what differs from the defaults:

            \(changed.isEmpty ? "    (nothing)" : changed.joined(separator: "\n"))\
            \(distillation)
            """
    }

    private var loss: String {
        let loss = configuration.train.loss
        let hardest = loss.ohemFraction < 1 ? " of the hardest pixels" : ""
        return "cross entropy\(hardest)\(loss.dice > 0 ? " and Dice loss" : "")"
    }

    /// A paragraph about the teacher, with what both networks cost.
    private var distillation: String {
        let train = configuration.train
        if train.teacher.isEmpty { return "" }
        // Its name alone, as with the data's folder.
        let name = escapedMarkdown(teacher?.name ?? Teacher.name(of: train.teacher))
        let text =
            "\n\nA share of \(train.distillation.weight) of the loss compares with the scores of a teacher, \(name), at "
            + "the temperature \(train.distillation.temperature) (knowledge distillation)."
        guard let teacher else { return text }
        let threads = teacher.threads == 1 ? "1 thread" : "\(teacher.threads) threads"
        let place = "\(escapedMarkdown(teacher.device)), \(threads)"
        func row(_ label: String, _ value: (TeacherRecord.Side) -> String) -> String {
            "\n| \(label) | \(value(teacher.trained)) | \(value(teacher.teacher)) |"
        }
        return text + "\n\n| | this network | \(name) |\n|---|---|---|"
            + row("parameters") { "\($0.parameters)" }
            + row("multiply-adds at \(teacher.height)x\(teacher.width)") { "\($0.multiplyAdds)" }
            + row("ms an image on \(place)") { String(format: "%.1f", $0.milliseconds) }
    }

    private static let defaults = Configuration().texts

    private var results: String {
        let best = records.compactMap { record in record.values["mIOU"].map { ($0, record.epoch + 1) } }
            .max { $0.0 < $1.0 }
        var lines = [
            best.map { "Validation: mIOU \(figure($0.0)) after epoch \($0.1), whose weights these are." }
                ?? "Validation: not measured."
        ]
        if evaluations.isEmpty { return lines[0] + "\n\nEvaluation: not made yet (`autodeeplab evaluate`)." }
        lines += [
            "", "| split | images | scales | mirrored | windows | mIOU | pixel accuracy | mean accuracy |",
            "|---|---|---|---|---|---|---|---|",
        ]
        lines += evaluations.map { metrics in
            let scales = metrics.scales.map { "\($0)" }.joined(separator: ", ")
            let cells = [
                escapedMarkdown(metrics.split), "\(metrics.images)", scales, metrics.flip ? "yes" : "no",
                metrics.window == 0 ? "none" : "\(metrics.window)", figure(metrics.mIOU),
                figure(metrics.pixelAccuracy), figure(metrics.meanAccuracy),
            ]
            return "| \(cells.joined(separator: " | ")) |"
        }
        let columns = evaluations.map { escapedMarkdown($0.split) }
        lines += [
            "", "| IoU of | \(columns.joined(separator: " | ")) |", "|---|" + columns.map { _ in "---|" }.joined(),
        ]
        for (label, name) in model.classes.names.enumerated() {
            let values = evaluations.map { metrics in
                metrics.classes.indices.contains(label) ? metrics.classes[label].iou.map(figure) ?? "absent" : "absent"
            }
            lines.append("| \(escapedMarkdown(name)) | \(values.joined(separator: " | ")) |")
        }
        return lines.joined(separator: "\n")
    }

    private var use: String {
        """
        `model.safetensors` holds all that it takes. From this folder's parent, with this folder's name as RUN:

            autodeeplab predict RUN IMAGE... --output masks --overlay
            autodeeplab evaluate RUN --data DIR --split test
            autodeeplab export RUN --output model.onnx

        In Swift, with the package's product `AutoDeepLab`:

            import Experiments
            import Segmentation

            let model = try Model(at: "RUN")
            let mask = model.segment(try readImage(path: "image.png"\(model.channels == 3 ? "" : ", channels: model.channels")))
            try writePNG(mask, palette: model.classes.palette, to: "mask.png")

        In PyTorch, with the package's `Examples/load_in_pytorch.py`:

            python load_in_pytorch.py RUN/model.safetensors image.png mask.png
        """
    }

    private func figure(_ value: Double) -> String { String(format: "%.4f", value) }
}

extension Metrics {
    /// The last evaluation of each split, by its name; what cannot be read is left out.
    static func all(in paths: RunPaths) -> [Metrics] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: paths.splits)) ?? []
        let files = names.sorted().map { RunPaths(folder: paths.splits + "/" + $0).evaluation }
        return files.compactMap { path in
            optionalContents(of: path).flatMap { try? JSONDecoder().decode(Metrics.self, from: $0) }
        }
    }
}

/// A text of any length as it may stand in a line or a table of Markdown.
private func escapedMarkdown(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
    return String(line.flatMap { "\\`*_[]<>|#".contains($0) ? ["\\", $0] : [$0] })
}
