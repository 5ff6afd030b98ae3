import Comparisons
import Configurations

/// What the time of a plan goes into.
struct PlannedTime {
    /// Seconds of a step of the first network.
    var step: Double
    /// Seconds of an epoch, of whichever network.
    var epoch: Double
    /// Seconds of an epoch that go into its checkpoint and log.
    var saving: Double
    /// Seconds of all that is measured in the end, and of export and report.
    var closing: Double
    /// Bytes of the process.
    var bytes: Int
    /// Seconds of a search by gradients before the race; 0 where there is none.
    var searching = 0.0
    /// The cross-validation of few images.
    var crossValidation: Plan.CrossValidation?

    /// What is done with the time.
    func stages(of configuration: Configuration, planning: Double) -> [Plan.Stage] {
        let search = configuration.search
        let schedule = HalvingSchedule(
            candidates: crossValidation == nil ? search.candidates : 1, reduction: search.reduction,
            epochs: max(1, configuration.train.epochs))
        let folded = crossValidation.map { $0.files.count * $0.epochs * search.candidates } ?? 0
        let first = schedule.rungs[0]
        let choosing = schedule.rungs.count > 1 ? first.epochs * first.candidates : 0
        let all: [(TimeAccount.Part, Double)] = [
            (.planning, planning), (.folds, Double(folded) * epoch),
            (.searching, searching), (.choosing, Double(choosing) * epoch),
            (.training, Double(schedule.total - choosing) * epoch), (.measuring, closing),
        ]
        return all.filter { $0.1 > 0 }.map { Plan.Stage(name: $0.0.text, seconds: $0.1) }
    }
}
