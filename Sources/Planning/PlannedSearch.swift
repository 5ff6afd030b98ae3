import Configurations
import Experiments
import Networks
import SearchSpace

/// A search by the paper's method before the race, where the time is enough for one.
extension Planner {
    /// The shortest time in minutes in which one is planned.
    static let leastSearchMinutes = 100.0
    /// Its share of the whole time, at most.
    static let searchShare = 0.2
    /// Epochs of it: with fewer alpha and beta hardly leave where they began, and more the paper has not.
    private static let searchEpochs = 10...40
    /// Random networks that are scored in its supernet, and the images for it.
    private static let (scored, scoringImages) = (50, 10)

    /// Puts the search into the pool.
    ///
    /// - Parameters:
    ///   - configuration: The plan so far, with the race's candidates.
    ///   - choose: Is told each choice with its reason.
    /// - Returns: Seconds that it is going to take; 0 where there is none.
    func settleSearch(_ configuration: inout Configuration, _ choose: (String, String) -> Void) -> Double {
        var search = configuration.search
        let images = (facts.images["train"] ?? 0) / 2
        guard minutes >= Self.leastSearchMinutes, search.candidates > 1, images >= 2 else { return 0 }
        search.blocks = 4
        search.filters = minutes < 300 ? 4 : 6
        search.batch = 2
        // Half the resolution, as the paper searches Cityscapes (5.1).
        search.resize = 0.5
        let side = max(33, (configuration.train.crop.height - 1) / 64 * 32 + 1)
        search.crop = CropSize(height: side, width: side)
        search.architecture.learningRate = 0.01
        search.architecture.path = .balanced
        search.scored = Self.scored
        search.validationImages = Self.scoringImages
        configuration.search = search
        reporter.report(.note("timing a search of \(search.layers) layers and \(search.filters) filters"))
        let step = StepTimer(configuration).searchStep(classes: facts.classes.count)
        let steps = Double(max(1, images / search.batch))
        // Alpha and beta learn in the second half (5.1). An image is scored in less than a step's time.
        let epoch =
            steps * (step.weights + step.architecture / 2) * Self.searchLoading + Double(Self.scoringImages)
            * step.weights
        let scoring = Double(Self.scored * Self.scoringImages) * step.weights / Double(search.batch)
        let affordable = Int(clamping: (Self.searchShare * budget.seconds - scoring) / epoch)
        guard affordable >= Self.searchEpochs.lowerBound else {
            configuration.search.scored = SearchConfiguration().scored
            choose(
                "search.pool",
                "no gradient-based search: in \(budget.description) there is time for \(affordable) epochs of it"
            )
            return 0
        }
        configuration.search.epochs = min(affordable, Self.searchEpochs.upperBound)
        configuration.search.architectureFrom = configuration.search.epochs / 2
        configuration.search.pool.insert(SearchConfiguration.searched, at: 0)
        let seconds = Double(configuration.search.epochs) * epoch + scoring
        choose(
            "search.epochs",
            "\(configuration.search.epochs): of a search by the paper's method, whose networks take part in the race; a step"
                + " takes \(format(step.weights * 1e3)) ms, and \(format(step.architecture * 1e3)) ms more for the architecture"
        )
        return seconds
    }

    /// A search's step with the loading of its images, over one on random values.
    private static let searchLoading = 1.1
}
