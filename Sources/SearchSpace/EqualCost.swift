extension Cost {
    /// The largest filter multiplier that is counted.
    public static let maximumFilters = 1024

    /// The filter multiplier with which a genotype's multiply-adds come closest to a number, and the cost then.
    ///
    /// All multipliers are tried: a projection that is left out where channels happen to be equal makes the cost of
    /// some multipliers less than that of the one before.
    ///
    /// - Parameters:
    ///   - genotype: a genotype that passes `validate()`.
    ///   - multiplyAdds: the wanted multiply-adds of one image.
    ///   - classes: the number of classes.
    ///   - height: the image's height.
    ///   - width: the image's width.
    ///   - widths: the channels that do not follow from the filters.
    /// - Returns: the multiplier, the lower one of equals, and what the network costs with it.
    public static func filters(
        of genotype: Genotype, closestTo multiplyAdds: Int, classes: Int, height: Int, width: Int,
        widths: NetworkWidths = NetworkWidths()
    ) -> (filters: Int, cost: Cost) {
        func cost(_ filters: Int) -> Cost {
            Cost.of(
                genotype, filters: filters, classes: classes, height: height, width: width,
                widths: widths)
        }
        var best = (filters: 1, cost: cost(1))
        for filters in 2...maximumFilters {
            let next = cost(filters)
            if abs(next.multiplyAdds - multiplyAdds) < abs(best.cost.multiplyAdds - multiplyAdds) {
                best = (filters, next)
            }
        }
        return best
    }
}
