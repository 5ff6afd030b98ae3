import ArgumentParser
import Configurations

/// What a network may cost at most.
struct LimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The most milliseconds for an image on this machine, by times of operations, which are measured once and kept in \
            ~/.cache/autodeeplab.
            """, valueName: "50ms"))
    var maxLatency: Milliseconds?

    @Option(help: ArgumentHelp("The most multiply-adds for an image.", valueName: "3G"))
    var maxMultiplyAdds: Quantity?

    @Option(help: ArgumentHelp("The most parameters.", valueName: "2M"))
    var maxParameters: Quantity?

    /// Puts what was typed in place of what is there.
    func adapt(_ limits: inout LimitConfiguration) {
        if let maxLatency { limits.milliseconds = maxLatency.value }
        if let maxMultiplyAdds { limits.multiplyAdds = maxMultiplyAdds.value }
        if let maxParameters { limits.parameters = maxParameters.value }
    }
}

/// A time as it is typed: 50ms, 0.05s, 50.
struct Milliseconds: ExpressibleByArgument {
    let value: Double

    init?(argument: String) {
        let (number, factor) =
            argument.hasSuffix("ms")
            ? (argument.dropLast(2), 1.0)
            : argument.hasSuffix("s")
                ? (argument.dropLast(1), 1e3) : (argument[...], 1.0)
        guard let value = Double(number).map({ $0 * factor }), value > 0, value <= 1e9 else { return nil }
        self.value = value
    }
}

/// A count as it is typed: 3G, 250M, 10k, 3e9.
struct Quantity: ExpressibleByArgument {
    let value: Double

    init?(argument: String) {
        let factors: [Character: Double] = ["k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12]
        let factor = argument.last.flatMap { factors[$0] }
        let number = factor == nil ? argument[...] : argument.dropLast()
        guard let value = Double(number).map({ $0 * (factor ?? 1) }), value > 0, value <= 1e12 else { return nil }
        self.value = value
    }
}
