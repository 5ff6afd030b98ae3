/// Decides whether a candidate is worth the second part of its training, by a running mean of the scores at the end of the
/// first (arXiv 1810.10804; ALGORITHM 15).
public struct StoppingJudge: Codable, Hashable, Sendable {
    /// The running mean of scores.
    public private(set) var mean = 0.01
    /// How far below the mean, as a share of it, a score may be to have a chance.
    public private(set) var tolerance = 0.9
    /// Candidates judged so far.
    public private(set) var judged = 0

    /// A judge that has seen nothing.
    public init() {}

    /// After so many candidates the tolerance is multiplied by a factor.
    private static let shrinkage = [100: 0.9, 200: 0.8, 300: 0.7, 400: 0.6]

    /// Judges the next candidate.
    ///
    /// A score above the mean, which it has moved already, always goes on; one below with the chance
    /// `max(0, 1 - (1 - score / mean) / tolerance)`.
    ///
    /// - Parameters:
    ///   - score: What it came to so far, from 0 to 1.
    ///   - uniform: A random number from 0 up to, not including, 1; asked for where chance decides.
    /// - Returns: Whether its training goes on.
    public mutating func goesOn(score: Double, uniform: () -> Double) -> Bool {
        tolerance *= StoppingJudge.shrinkage[judged] ?? 1
        judged += 1
        mean = 0.99 * mean + 0.01 * score
        return score > mean || score > mean * (1 - tolerance * uniform())
    }
}
