import Configurations
import Datasets
import Foundation
import Reporting
import Torch

extension Configuration {
    /// What may change when a run goes on: where and how fast it computes, what it saves, how long it runs, and how it
    /// guards itself against numbers that go wrong; where its teacher lies, which is known by its content.
    static let changeable = [
        "data.root", "data.workers", "data.cacheMegabytes", "data.allowOutsideRoot", "data.shown", "data.tiles.cache",
        "search.epochs", "search.recompute", "search.weights.clip", "train.epochs", "train.iterations", "train.clip",
        "train.frozenMegabytes", "train.teacher",
        "checkpoint.every", "checkpoint.keep", "onNonFinite", "threads", "device",
    ]

    /// Compares with the configuration that a run was saved under.
    ///
    /// - Parameters:
    ///   - saved: The run's own.
    ///   - stage: `search` or `train`; settings of the other stage do not matter.
    ///   - run: The run's folder, for the message.
    /// - Returns: The changes that are accepted, a line each.
    /// - Throws: ``RunError`` that shows every change that is not.
    package func changes(since saved: Configuration, stage: String, run: String) throws(RunError) -> [String] {
        var accepted: [String] = []
        var refused: [String] = []
        // What was found out from the masks stands in the run, not in what it is started with.
        var now = self
        now.data.adopt(saved.data.meaning)
        for setting in Setting.all {
            let group = setting.key.prefix { $0 != "." }
            guard ["data", "checkpoint", stage[...]].contains(group) || group == setting.key else { continue }
            let (before, after) = (yamlLine(of: setting.get(saved)), yamlLine(of: setting.get(now)))
            guard before != after else { continue }
            let line = "\(setting.key) was \(before) and is \(after)"
            if Configuration.changeable.contains(setting.key) { accepted.append(line) } else { refused.append(line) }
        }
        guard refused.isEmpty else {
            let free = Configuration.changeable.filter { !$0.hasPrefix(stage == "search" ? "train." : "search.") }
            throw RunError(
                .changed, path: run,
                "the run cannot go on so: \(refused.joined(separator: "; ")): leave it as it was, or start a new run "
                    + "(may change: \(free.joined(separator: ", ")))")
        }
        return accepted
    }
}

/// The training images that a run was saved with: their order decides what every step sees.
package struct SampleList: Codable, Equatable {
    /// How many there are.
    var count: Int
    /// Hash of their names.
    var names: String
    /// Number of classes.
    var classes: Int
    /// Their names; nil in older checkpoints.
    var classNames: [String]?

    package init(_ samples: [Sample], classes: [String]) {
        count = samples.count
        var hash = XXHash64()
        for sample in samples { hash.update(Array((sample.name + "\n").utf8)) }
        names = hash.text
        self.classes = classes.count
        classNames = classes
    }

    /// Refuses to go on with other images.
    package func check(against saved: SampleList, run: String) throws(RunError) {
        var (own, saved) = (self, saved)
        // Names may be mended; one that stands for another class now is another list.
        let moved = zip(saved.classNames ?? [], own.classNames ?? []).first { before, now in
            before != now && classNames?.contains(before) == true
        }
        if classes == saved.classes, let moved {
            throw RunError(
                .changed, path: run,
                "the classes are not those of the run (`\(moved.0)` then, `\(moved.1)` now): put them back, or start a new"
                    + " run")
        }
        (own.classNames, saved.classNames) = (nil, nil)
        if own == saved { return }
        let difference =
            classes != saved.classes
            ? "\(saved.classes) classes then, \(classes) now"
            : count != saved.count ? "\(saved.count) images then, \(count) now" : "images of other names"
        throw RunError(
            .changed, path: run,
            "the training images are not those of the run (\(difference)): put them back, or start a new run")
    }
}

extension Checkpoint {
    /// Notes what the run depends on besides its tensors.
    package mutating func set(_ configuration: Configuration, samples: SampleList, steps: Int) throws {
        metadata["configuration"] = configuration.yaml()
        try set("samples", samples)
        try set("totalSteps", steps)
        if ProcessGroup.size > 1 { try set("processes", ProcessGroup.size) }
    }

    /// Refuses to go on under other circumstances; tells about those that may change.
    package func check(
        _ configuration: Configuration, stage: String, samples: SampleList, schedule: Schedule, step: Int,
        folder: RunFolder, reporter: any ProgressReporter
    ) throws {
        let path = folder.paths.lastCheckpoint
        guard let text = metadata["configuration"] else {
            throw RunError(.damaged, path: path, "no configuration in the checkpoint")
        }
        let saved = try Configuration.parse(yaml: text, source: path)
        let changes = try configuration.changes(since: saved, stage: stage, run: folder.path)
        try samples.check(against: value("samples", as: SampleList.self, in: path), run: folder.path)
        let total = try value("totalSteps", as: Int.self, in: path)
        guard (step...RunRecord.steps.upperBound).contains(total) else {
            throw RunError(.damaged, path: path, "`totalSteps` is \(total) in the checkpoint of step \(step)")
        }
        guard schedule.total >= step else {
            throw RunError(
                .changed, path: folder.path,
                "the run has made \(step) steps, and now is to have \(schedule.total): it can be made longer, or as short"
                    + " as what is done")
        }
        let processes = metadata["processes"].flatMap { Int($0) } ?? 1
        if processes != ProcessGroup.size {
            reporter.report(
                .note(
                    "going on by \(ProcessGroup.size) processes instead of \(processes): the same batches in the same "
                        + "order, equal up to rounding"))
        }
        for change in changes { reporter.report(.note("going on with a change: \(change)")) }
        if schedule.total != total {
            var before = schedule
            before.total = total
            let rates = [before, schedule].map { String(format: "%.4g", $0.rate(at: step)) }
            let length = schedule.total > total ? "longer" : "shorter"
            reporter.report(
                .note(
                    "\(schedule.total) steps instead of \(total): by the \(length) schedule the learning rate goes on at "
                        + "\(rates[1]), not \(rates[0])"))
        }
    }
}
