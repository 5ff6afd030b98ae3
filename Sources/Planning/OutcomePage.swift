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
    /// The run's folder.
    let output: String
    let plan: Plan
    /// The candidates.
    let table: CandidateTable
    /// The cross-validation of few images, the best network first; none where there are splits.
    let validated: [CrossValidation.Result]
    let model: Model
    let configuration: Configuration
    let evaluation: Evaluation
    let interval: ClosedRange<Double>?
    let hasONNX: Bool
    let account: TimeAccount

    func report() throws -> OutcomeReport {
        let metrics = evaluation.metrics
        let name = URL(fileURLWithPath: output).standardizedFileURL.lastPathComponent
        var report = OutcomeReport(
            name: name,
            headline: validated.isEmpty
                ? "\(name): mean IoU \(format(metrics.mIOU)) on the \(metrics.split) images"
                : "\(name): mean IoU \(format(metrics.mIOU)) in cross-validation over \(metrics.images) images")
        report.remarks = remarks
        report.facts = facts
        report.classes = zip(metrics.classes, model.classes.palette).map {
            .init(name: $0.name, colour: $1.hex, iou: $0.iou, pixels: $0.pixels)
        }
        report.pictures = try pictures()
        report.drawing = model.genotype.map { drawGenotype($0, title: table.winner) } ?? ""
        report.candidates = validated.isEmpty ? (table.rows.count > 1 ? table.table : nil) : foldTable
        report.stages = stages
        report.choices =
            plan.notes.map { .init("data", $0) } + plan.reasons.map { .init($0.key, $0.text) }
            + (plan.searchEnd.map { [.init("search.epochs", $0.text)] } ?? [])
            + plan.narrowings.compactMap { $0.text.map { .init("search.candidates", $0) } }
            + plan.lengths.compactMap { $0.text.map { .init("train.iterations", $0) } }
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
        if !validated.isEmpty {
            result.append(
                "Each image was measured by a network that was trained without it, half as long as the one here, which"
                    + " has learnt from all of them.")
        } else if evaluation.metrics.split == configuration.data.splits.train {
            result.append("These are the images it was trained on: the figure says nothing about others.")
        }
        if let standard { result.append(standard) }
        return result
    }

    /// The networks of a cross-validation, fold by fold.
    private var foldTable: RunReport.Table {
        let folds = validated.first?.scores.count ?? 0
        return RunReport.Table(
            caption: "Mean IoU fold by fold, and of all images together: the first one was trained on all images.",
            columns: ["network"] + (0..<folds).map { "fold \($0 + 1)" } + ["all images"],
            rows: validated.map { result in
                [result.network.name] + (result.scores + [result.evaluation.metrics.mIOU]).map(format)
            })
    }

    /// How the winner compares with a network that nobody has to search for.
    private var standard: String? {
        let ready = "nobody has to search for"
        if !validated.isEmpty {
            guard validated.count > 1 else { return "No other network was tried: there was no time for it." }
            let other = validated[1]
            return
                "It is ahead of \(other.network.name) with \(format(other.evaluation.metrics.mIOU)) on the same images."
        }
        guard table.rows.count > 1 else {
            guard model.genotype == nil, configuration.train.encoderWeights != "none" else {
                return "One known design was trained from scratch for the whole time; nothing was searched."
            }
            return "An encoder that was trained on ImageNet, with a decoder learnt here; no other network was tried."
        }
        let known = ["+\(DecoderKind.unet.rawValue)", KnownDesign.deeplabv3.rawValue]
        guard let winner = table.rows.first(where: { $0.name == table.winner }), let epochs = table.epochs.first,
            let own = winner.scores.first,
            let other = known.lazy.compactMap({ name in table.rows.first { $0.name.contains(name) } }).first
        else { return nil }
        if winner.name == other.name {
            return "The best of the candidates was \(other.name), which \(ready)."
        }
        guard let its = other.scores.first else { return nil }
        return
            "After \(epochs) epochs it had validation mIOU \(format(own)); \(other.name), which \(ready), had"
            + " \(format(its)) after the same time."
    }

    private var facts: [OutcomeReport.Fact] {
        let metrics = evaluation.metrics
        let images = InputSpecification(
            classes: model.classes.count, height: plan.facts.height, width: plan.facts.width,
            scaling: model.scaling, evaluate: configuration.evaluate)
        let cost = model.network.description.cost(height: images.height, width: images.width)
        let times = model.milliseconds(height: images.height, width: images.width, repetitions: 3)
        return [
            .init("images measured", "\(metrics.images) of the split \(metrics.split)"),
            .init("pixel accuracy", format(metrics.pixelAccuracy)),
            .init("network", network),
            .init("parameters", cost.parameters.formatted(.number.locale(.init(identifier: "en_US")))),
            .init(
                "multiply-adds",
                String(format: "%.2f billion an image of ", Double(cost.multiplyAdds) * Double(images.windows) / 1e9)
                    + "\(plan.facts.width)x\(plan.facts.height) pixels"),
            .init(
                "time of an image here",
                String(format: "%.0f ms", times[times.count / 2] * Double(images.windows))
                    + ", \(configuration.workerThreads) \(configuration.workerThreads == 1 ? "thread" : "threads")"),
        ]
    }

    private var network: String {
        switch model.network.description {
        case .discrete(_, let own): "\(table.winner ?? ""), F = \(own.filters)"
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
        // With few images each is shown as the network saw it that had not learnt from it.
        var models: [String: Model] = [:]
        return try places.map { word, place in
            let score = ordered[place]
            var judge = model
            if let path = validated.first?.models[score.sample.image] {
                judge = try models[path] ?? Model(at: path, device: model.device)
                models[path] = judge
            }
            let picture = try judgedPicture(of: score.sample, by: judge, in: dataset)
            return .init(
                caption: "\(word): \(score.sample.name), mean IoU \(format(score.mIOU))",
                png: try pngData(picture, file: score.sample.name))
        }
    }

    private var stages: RunReport.Table {
        let parts = TimeAccount.Part.allCases.compactMap { part -> [String]? in
            let planned = plan.seconds(of: part)
            let taken = account.seconds(part)
            guard planned != nil || taken >= 1 else { return nil }
            return [part.text, planned.map(Budget.text) ?? "", Budget.text(taken)]
        }
        return RunReport.Table(
            caption: "Planned for \(Budget.text(plan.budget)) on \(plan.processor), and what it took",
            columns: ["part", "planned", "taken"],
            rows: parts + [["together", Budget.text(plan.budget), Budget.text(account.total)]])
    }

    private var next: [OutcomeReport.Fact] {
        var result: [OutcomeReport.Fact] = [
            .init("Segment images", "autodeeplab predict \(shellWord(output)) IMAGE... --output masks --overlay"),
            .init(
                "Better masks, for more time",
                "--scales 1,1.5 --flip there averages what it sees at two sizes, and mirrored, in six times the time"
                    + (plan.crossValidation == nil
                        ? ": whether that pays, autodeeplab evaluate \(shellWord(output)) --split"
                            + " \(configuration.data.splits.val) --scales 1,1.5 --flip says" : "")),
            .init(
                "Train on from here",
                "autodeeplab train --from \(shellWord(output)) --config \(shellWord(output + "/config.yaml")) --output"
                    + " \(shellWord(output + "-longer"))"),
        ]
        if hasONNX {
            result.append(
                .init("Use it elsewhere", "\(output)/model.onnx takes bytes [N, H, W, 3] and gives labels [N, H, W]"))
        }
        return result
    }

    private func format(_ value: Double) -> String { String(format: "%.3f", value) }
}
