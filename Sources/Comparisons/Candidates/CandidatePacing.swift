import Configurations

extension CandidateSearch {
    /// The last training before it begins, or goes on: one candidate's, of which the rungs before are done.
    package struct LastTraining {
        /// Epochs that are done.
        package let done: Int
        /// Epochs that it is to have in all.
        package let epochs: Int
        /// Steps of an epoch.
        package let stepsPerEpoch: Int
        /// Seconds of a step in the epochs that were done since the length was settled before.
        package let secondsPerStep: Double
        /// Seconds of an epoch's steps.
        package var secondsPerEpoch: Double { secondsPerStep * Double(stepsPerEpoch) }
    }

    /// How far a rung is.
    package struct RungProgress {
        /// Its number, counted from 0.
        package let rung: Int
        /// Candidates that have been trained in it.
        package let trained: Int
        /// Seconds of an epoch's steps, of whichever candidate.
        package let secondsPerEpoch: Double
        /// The lengths as they stand.
        package let schedule: HalvingSchedule

        /// Sets all of it.
        package init(rung: Int, trained: Int, secondsPerEpoch: Double, schedule: HalvingSchedule) {
            self.rung = rung
            self.trained = trained
            self.secondsPerEpoch = secondsPerEpoch
            self.schedule = schedule
        }

        /// Epochs of training that are left of the whole schedule if so many take part in this rung.
        ///
        /// - Parameters:
        ///   - candidates: How many.
        ///   - last: The share of the last training that is counted.
        /// - Returns: The epochs of all candidates together.
        package func epochsLeft(candidates: Int, last: Double) -> Double {
            var narrowed = schedule
            narrowed.narrow(rung: rung, to: candidates)
            var epochs = 0.0
            for number in rung..<narrowed.rungs.count {
                let before = number > 0 ? narrowed.rungs[number - 1].epochs : 0
                let isLast = number > 0 && number + 1 == narrowed.rungs.count
                let runs = narrowed.rungs[number].candidates - (number == rung && !isLast ? trained : 0)
                epochs += (isLast ? last : 1) * Double(runs * (narrowed.rungs[number].epochs - before))
            }
            return epochs
        }
    }

    /// Keeps a search within a time.
    ///
    /// Both must answer the same in one search whenever they are asked at the same point, so that a search that was
    /// stopped goes on as it would have.
    package struct Pacing {
        /// The epochs that the last training is to have: asked when the rungs before are done, and in the middle of what
        /// is left again and again.
        package let epochs: (LastTraining) throws -> Int
        /// How many are to take part in a rung: asked after each candidate of the first one, and before each other one.
        package let candidates: (RungProgress) throws -> Int

        /// Asks these.
        package init(
            epochs: @escaping (LastTraining) throws -> Int, candidates: @escaping (RungProgress) throws -> Int
        ) {
            self.epochs = epochs
            self.candidates = candidates
        }

        /// Where the last training's length is settled next; nil where too little is left for it to matter.
        static func middle(after done: Int, of schedule: HalvingSchedule) -> Int? {
            let left = (schedule.rungs.last?.epochs ?? done) - done
            return left >= 6 ? done + left / 2 : nil
        }
    }

    /// How far a rung is in which so many have been trained.
    func progress(
        of runs: [CandidateRun], rung: Int, trained: Int, _ schedule: HalvingSchedule
    ) -> RungProgress {
        let done = trained > 0 ? schedule.rungs[rung].epochs : rung > 0 ? schedule.rungs[rung - 1].epochs : 0
        let begin = trained > 0 || rung < 2 ? 0 : schedule.rungs[rung - 2].epochs
        let seconds = runs.filter { $0.score(after: done) != nil }.map {
            $0.last(after: done, since: begin, of: schedule).secondsPerEpoch
        }
        return RungProgress(
            rung: rung, trained: trained,
            secondsPerEpoch: seconds.isEmpty ? 0 : seconds.reduce(0, +) / Double(seconds.count), schedule: schedule)
    }
}
