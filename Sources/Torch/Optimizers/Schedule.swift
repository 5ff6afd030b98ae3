import Foundation

/// A learning rate as a function of the step, counted from 0.
public struct Schedule: Sendable, Hashable {
    /// How the rate falls.
    public enum Shape: Sendable, Hashable {
        /// `base * (1 - step / total)^power`.
        case poly(power: Double)
        /// From the base to this value along half a cosine, over all steps.
        case cosine(final: Double)
        /// Always the base.
        case constant
    }

    /// Rate at the start, after warming up.
    public var base: Double
    /// Number of steps in all.
    public var total: Int
    /// How the rate falls.
    public var shape: Shape
    /// Steps at the beginning in which the rate rises linearly; 0 for none.
    public var warmUp: Int

    /// A schedule over `total` steps.
    public init(base: Double, total: Int, shape: Shape, warmUp: Int = 0) {
        self.base = base
        self.total = total
        self.shape = shape
        self.warmUp = warmUp
    }

    /// The rate of a step, counted from 0.
    public func rate(at step: Int) -> Double {
        let progress = min(1, max(0, Double(step) / Double(max(total, 1))))
        let rate =
            switch shape {
            case .poly(let power): base * pow(1 - progress, power)
            case .cosine(let final): final + 0.5 * (base - final) * (1 + cos(.pi * progress))
            case .constant: base
            }
        return step < warmUp ? rate * Double(step + 1) / Double(warmUp) : rate
    }
}
