import ArchitectureSearch
import Configurations
import Networks
import Torch

extension PricePenalty {
    /// The price that a search's settings ask for; nil for none.
    ///
    /// In a group the milliseconds are those of the leader's machine: all ranks make the same step.
    ///
    /// - Throws: An error about the table of latencies.
    init?(_ setup: StageSetup, of supernet: SupernetConfiguration) throws {
        let configuration = setup.configuration
        let settings = configuration.search.architecture
        guard settings.price > 0 else { return nil }
        let images = try InputSpecification(configuration, split: nil, of: setup.dataset)
        let latency =
            settings.priceOf == .milliseconds && ProcessGroup.isLeader
            ? try LatencyModel(configuration, place: .lockedFolder(setup.folder.path)) : nil
        let cost = try ExpectedCost(
            supernet, network: configuration.train.network(classes: images.classes, channels: images.channels),
            height: images.height, width: images.width, device: setup.device,
            prepare: { operations in
                guard latency != nil else { return }
                setup.reporter.report(.note("measuring \(Set(operations).count) operations"))
                try latency?.measure(operations)
            },
            price: { operation in
                switch settings.priceOf {
                case .multiplyAdds: Double(operation.cost.multiplyAdds)
                case .parameters: Double(operation.cost.parameters)
                case .milliseconds: try latency?.milliseconds(of: [operation]) ?? 0
                }
            })
        self.init(
            settings.priceOf == .milliseconds ? cost.shared : cost, weight: settings.price, of: supernet,
            device: setup.device)
    }
}
