import Runs

extension ComparisonSummary {
    /// Puts together what the runs of a network came to.
    static func network(_ priced: CostedNetwork, first: CostedNetwork, runs: [Run]) -> Network {
        let scores = runs.compactMap(\.mIOU)
        let mean = scores.isEmpty ? nil : scores.reduce(0, +) / Double(scores.count)
        let spread = mean.flatMap { mean -> Double? in
            guard scores.count > 1 else { return nil }
            let squares = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            return (squares / Double(scores.count - 1)).squareRoot()
        }
        let seconds = runs.compactMap(\.secondsPerImage).sorted()
        let middle = [seconds.count / 2, (seconds.count - 1) / 2].map { seconds.isEmpty ? 0 : seconds[$0] }
        return Network(
            name: priced.network.name, genotype: priced.network.argument, filters: priced.filters,
            parameters: priced.cost.parameters, multiplyAdds: priced.cost.multiplyAdds,
            relativeMultiplyAdds: Double(priced.cost.multiplyAdds) / Double(first.cost.multiplyAdds), mIOU: mean,
            spread: spread, secondsPerImage: seconds.isEmpty ? nil : (middle[0] + middle[1]) / 2,
            predictedMilliseconds: priced.milliseconds, runs: runs)
    }
}
