/// What one process measured.
package struct Run: Codable {
    /// Seconds of each step, the first, unmeasured one left out.
    package var seconds: [Double]
    /// Bytes that were resident at most.
    package var peakMemory: Int
    /// Multiply-adds of a step.
    package var multiplyAdds: Int
}
