import Comparisons
import Configurations
import Datasets
import Deployment
import Experiments
import Foundation
import Images
import Inference
import Networks
import Reporting
import Runs
import SearchSpace

/// What the page of a run says, put together from what was measured.
struct OutcomePage {
    let run: AutomaticRun
    /// The candidates; nil where there was no choice.
    let table: CandidateTable?
    let model: Model
    let configuration: Configuration
    let evaluation: Evaluation
    let interval: ClosedRange<Double>?
    let hasONNX: Bool
    /// Seconds before and after the end of the training, in this process.
    let seconds: (before: Double, after: Double)

    func report() throws -> OutcomeReport {
        let metrics = evaluation.metrics
        let name = URL(fileURLWithPath: run.output).standardizedFileURL.lastPathComponent
        var report = OutcomeReport(
            name: name, headline: "\(name): mean IoU \(format(metrics.mIOU)) on the \(metrics.split) images")
        report.remarks = remarks
        report.facts = facts
        report.classes = zip(metrics.classes, model.classes.palette).map {
            .init(name: $0.name, colour: $1.hex, iou: $0.iou, pixels: $0.pixels)
        }
        report.pictures = try pictures()
        report.drawing = model.genotype.map { drawGenotype($0, title: table?.winner) } ?? ""
        report.candidates = table?.table
        report.stages = stages
        report.choices =
            run.plan.notes.map { .init("data", $0) } + run.plan.reasons.map { .init($0.key, $0.text) }
        report.next = next
        return report
    }

    private var remarks: [String] {
        let count = evaluation.metrics.images
        var result: [String] = []
        if let interval {
            result.append(
                "95% interval \(format(interval.lowerBound)) to \(format(interval.upperBound)), by drawing the \(count)"
                    + " images again and again: how far the figure may be off because they are no more.")
        } else {
            result.append("One image was measured: the figure says next to nothing about others.")
        }
        if count < 20 {
            result.append("\(count) images are few to measure by. Label more before you rely on the figure.")
        }
        if let standard = standard { result.append(standard) }
        return result
    }

    /// How the winner compares with a network that nobody has to search for.
    private var standard: String? {
        guard let table else {
            return "An encoder that was trained on ImageNet, with a decoder learnt here; nothing was searched."
        }
        guard table.rows.count > 1, let winner = table.rows.first(where: { $0.name == table.winner }),
            let other = table.rows.filter({ $0.name.hasSuffix(KnownDesign.deeplabv3.rawValue) }).first,
            let epochs = table.epochs.first, let own = winner.scores.first, let its = other.scores.first
        else {
            return table.rows.count == 1
                ? "One known design was trained for the whole time; nothing was searched." : nil
        }
        if winner.name == other.name { return "The best of the candidates was DeepLabv3's own path." }
        return
            "After \(epochs) epochs it had validation mIOU \(format(own)), DeepLabv3's path at equal cost \(format(its))."
    }

    private var facts: [OutcomeReport.Fact] {
        let metrics = evaluation.metrics
        let images = InputSpecification(
            classes: model.classes.count, height: run.plan.facts.height, width: run.plan.facts.width,
            scaling: model.scaling, evaluate: configuration.evaluate)
        let cost = model.network.description.cost(height: images.height, width: images.width)
        let times = InferenceTime.milliseconds(
            of: model, height: images.height, width: images.width, repetitions: 3)
        return [
            .init("images measured", "\(metrics.images) of the split \(metrics.split)"),
            .init("pixel accuracy", format(metrics.pixelAccuracy)),
            .init("network", network),
            .init("parameters", cost.parameters.formatted(.number.locale(.init(identifier: "en_US")))),
            .init(
                "multiply-adds",
                String(format: "%.2f billion an image of ", Double(cost.multiplyAdds) * Double(images.windows) / 1e9)
                    + "\(run.plan.facts.width)x\(run.plan.facts.height) pixels"),
            .init(
                "time of an image here",
                String(format: "%.0f ms", times[times.count / 2] * Double(images.windows))
                    + ", \(configuration.workerThreads) threads"),
        ]
    }

    private var network: String {
        switch model.network.description {
        case .discrete(_, let own): "\(table?.winner ?? ""), F = \(own.filters)"
        case .encoded(let own): "\(own.encoder.rawValue) with the decoder \(own.decoder.rawValue)"
        }
    }

    /// The best, the typical and the worst images.
    private func pictures() throws -> [OutcomeReport.Picture] {
        let ordered = evaluation.images.sorted { ($0.mIOU, $0.sample.name) < ($1.mIOU, $1.sample.name) }
        guard !ordered.isEmpty else { return [] }
        let dataset = try configuration.data.dataset()
        var places: [(String, Int)] = []
        for (word, place) in [
            ("worst", 0), ("second worst", 1), ("typical", ordered.count / 2), ("typical", ordered.count / 2 - 1),
            ("second best", ordered.count - 2), ("best", ordered.count - 1),
        ] where ordered.indices.contains(place) && !places.contains(where: { $0.1 == place }) {
            places.append((word, place))
        }
        return try places.map { word, place in
            let score = ordered[place]
            let picture = try judgedPicture(of: score.sample, by: model, in: dataset)
            return .init(
                caption: "\(word): \(score.sample.name), mean IoU \(format(score.mIOU))",
                png: try pngData(picture, file: score.sample.name))
        }
    }

    private var stages: RunReport.Table {
        var rows = run.plan.stages.map { [$0.name, Budget.text($0.seconds)] }
        rows.append(["this call: up to the end of training", Budget.text(seconds.before)])
        rows.append(["this call: after it", Budget.text(seconds.after)])
        return RunReport.Table(
            caption: "Planned for \(Budget.text(run.plan.budget)) on \(run.plan.processor); what this call took below",
            columns: ["part", "time"], rows: rows)
    }

    private var next: [OutcomeReport.Fact] {
        let output = run.output
        var result: [OutcomeReport.Fact] = [
            .init("Segment images", "autodeeplab predict \(output) IMAGE... --output masks --overlay"),
            .init(
                "Train on from here",
                "autodeeplab train --from \(output) --config \(output)/config.yaml --output \(output)-longer"),
        ]
        if hasONNX {
            result.append(
                .init("Use it elsewhere", "\(output)/model.onnx takes bytes [N, H, W, 3] and gives labels [N, H, W]"))
        }
        return result
    }

    private func format(_ value: Double) -> String { String(format: "%.3f", value) }
}
