/// Successive halving (arXiv 1502.07943): many candidates are trained shortly, the best of them longer, and so on.
///
/// All lengths are parts of one schedule, so what goes on to the next rung has lost nothing by having been judged.
package struct HalvingSchedule: Equatable, Sendable {
    /// A round: the best so many candidates are trained up to an epoch.
    package struct Rung: Equatable, Sendable {
        /// How many take part.
        package let candidates: Int
        /// Epochs that they are trained for, those of earlier rungs included.
        package let epochs: Int
    }

    /// From the shortest to the whole training, which one candidate gets.
    package private(set) var rungs: [Rung]

    /// - Parameters:
    ///   - candidates: How many begin, at least 1.
    ///   - reduction: One of so many goes on from a rung to the next (eta), at least 2; of fewer candidates, one.
    ///   - epochs: The whole training.
    ///   - rests: Whether a single candidate rests after its first part too.
    ///   - before: Epochs that all candidates have in front of the whole training.
    package init(candidates: Int, reduction: Int, epochs: Int, rests: Bool = false, before: Int = 0) {
        precondition(candidates >= 1 && reduction >= 2 && epochs >= 1 && before >= 0)
        var rungs = [Rung(candidates: 1, epochs: epochs)]
        var (count, length) = (rests || candidates > 1 ? min(reduction, candidates) : reduction, epochs)
        // A rung that is no shorter than the next one would only repeat its choice.
        while count <= candidates, max(1, length / reduction) < length {
            length = max(1, length / reduction)
            rungs.insert(Rung(candidates: count, epochs: length), at: 0)
            count *= reduction
        }
        rungs[0] = Rung(candidates: candidates, epochs: rungs[0].epochs)
        self.rungs = rungs.map { Rung(candidates: $0.candidates, epochs: $0.epochs + before) }
    }

    /// Gives the last training another length, beyond that of the rung before.
    package mutating func settleLast(epochs: Int) {
        rungs[rungs.count - 1] = Rung(candidates: rungs[rungs.count - 1].candidates, epochs: epochs)
    }

    /// Lets fewer candidates take part in a rung than were planned, and in those after it in proportion.
    ///
    /// A rung that one candidate is left of goes: it is the last training's. More than were planned are never taken.
    ///
    /// - Parameters:
    ///   - rung: The rung's number, counted from 0.
    ///   - candidates: How many are to take part, at least 1.
    package mutating func narrow(rung: Int, to candidates: Int) {
        let planned = rungs[rung].candidates
        guard candidates < planned else { return }
        for number in rung..<(rungs.count - 1) {
            let count = max(1, rungs[number].candidates * max(1, candidates) / planned)
            rungs[number] = Rung(candidates: count, epochs: rungs[number].epochs)
        }
        // The first one stays, from which the last training goes on.
        let last = rungs.count - 1
        rungs = rungs.enumerated().filter { $0 == 0 || $0 < rung || $0 == last || $1.candidates > 1 }.map(\.1)
    }

    /// Steps below which a first rung says little: of nine candidates on nuclei five still saw nothing but background after
    /// 58 steps, and none of the three best after 174.
    package static let leastSteps = 150

    /// A warning of a first rung that is too short; nil where it is long enough, or the only one.
    func shortness(stepsPerEpoch: Int) -> String? {
        let steps = rungs[0].epochs * stepsPerEpoch
        guard rungs[0].candidates > 1, rungs.count > 1, steps < Self.leastSteps else { return nil }
        return
            "the first rung has \(steps) steps, after which scores say little: more train.epochs, a smaller train.batch,"
            + " or fewer search.candidates help"
    }

    /// Epochs of training in all.
    package var total: Int {
        var done = 0
        return rungs.reduce(0) { sum, rung in
            defer { done = rung.epochs }
            return sum + rung.candidates * (rung.epochs - done)
        }
    }
}
