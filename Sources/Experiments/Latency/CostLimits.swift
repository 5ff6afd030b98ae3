import Configurations
import Foundation
import Networks
import SearchSpace

/// What a network may cost at most.
package struct CostLimits: Sendable {
    /// The limits; 0 is none.
    package let values: LimitConfiguration
    /// Says the milliseconds; nil where they have no limit.
    package let latency: LatencyModel?
    /// The networks' widths.
    package let train: TrainConfiguration
    /// Classes, and the size of the image.
    package let images: InputSpecification

    /// What a network costs that was judged.
    package struct Judgement: Equatable, Sendable {
        /// Milliseconds for an image; nil where they have no limit.
        package var milliseconds: Double?
        /// What is over its limit, in words; empty where nothing is.
        package var excess: [String]
    }

    /// - Parameters:
    ///   - values: The limits.
    ///   - train: The networks' widths.
    ///   - images: Classes, and the size of the image.
    ///   - latency: Makes what says the milliseconds, where they have a limit.
    package init(
        _ values: LimitConfiguration, _ train: TrainConfiguration, on images: InputSpecification,
        latency: () throws -> LatencyModel
    ) rethrows {
        self.values = values
        self.train = train
        self.images = images
        self.latency = values.milliseconds > 0 ? try latency() : nil
    }

    /// Whether there is no limit.
    package var isEmpty: Bool { values == LimitConfiguration() }

    /// Compares a network with the limits, a genotype's with the filters that it is trained with.
    ///
    /// - Throws: An error about the table of latencies.
    package func judge(_ network: NetworkChoice, filters: Int) throws -> Judgement {
        var train = train
        train.filters = filters
        return try judge(network.description(train, classes: images.classes, channels: images.channels))
    }

    /// Compares a network with the limits.
    ///
    /// - Throws: An error about the table of latencies.
    package func judge(_ network: NetworkDescription) throws -> Judgement {
        var judgement = Judgement(excess: [])
        if isEmpty { return judgement }
        let cost = network.cost(on: images)
        if values.multiplyAdds > 0, Double(cost.multiplyAdds) > values.multiplyAdds {
            judgement.excess.append(
                String(
                    format: "%.4g billion multiply-adds, over %.4g", Double(cost.multiplyAdds) / 1e9,
                    values.multiplyAdds / 1e9))
        }
        if values.parameters > 0, Double(cost.parameters) > values.parameters {
            judgement.excess.append(
                String(
                    format: "%.4g million parameters, over %.4g", Double(cost.parameters) / 1e6, values.parameters / 1e6
                ))
        }
        if let latency {
            let time = try latency.milliseconds(of: network, on: images)
            judgement.milliseconds = time
            if time > values.milliseconds {
                judgement.excess.append(String(format: "%.4g ms an image, over %.4g", time, values.milliseconds))
            }
        }
        return judgement
    }
}
