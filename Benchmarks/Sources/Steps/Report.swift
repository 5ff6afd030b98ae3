import Foundation
import StepCases
import Torch

/// All runs of all cases.
struct Report: Codable {
    /// One case over all rounds.
    struct Row: Codable {
        var name: String
        var median: Double
        var least: Double
        var most: Double
        var peakMemory: Int
        /// Billions of multiply-adds in a second, at the median.
        var rate: Double
        /// Share of the rate of a product of matrices.
        var share: Double
        /// How many times as long the plain form takes, median of the rounds' ratios.
        var plainRatio: Double?
    }

    var libtorch = Engine.version
    var date = Date().formatted(.iso8601)
    var threads = ProcessInfo.processInfo.activeProcessorCount
    var size: Int
    /// Billions of multiply-adds in a second of a product of matrices.
    var matrixRate: Double
    var rows: [Row]

    init(size: Int, rate: Double, runs: [Case: [Run]]) {
        self.size = size
        matrixRate = rate / 1e9
        rows = Case.allCases.compactMap { measured in
            guard let own = runs[measured], let first = own.first else { return nil }
            let seconds = own.flatMap(\.seconds).sorted()
            let middle = seconds[seconds.count / 2]
            let plain = measured.plainForm.flatMap { runs[$0] }
            let ratios = plain.map { zip($0, own).map { median($0.seconds) / median($1.seconds) } }
            return Row(
                name: measured.rawValue, median: middle, least: seconds[0], most: seconds[seconds.count - 1],
                peakMemory: own.map(\.peakMemory).max() ?? 0, rate: Double(first.multiplyAdds) / middle / 1e9,
                share: Double(first.multiplyAdds) / middle / rate, plainRatio: ratios.map(median))
        }
    }

    /// The rows for people.
    var table: String {
        let head = String(
            format: "libtorch %@, %d threads, %dx%d, batch 2, 19 classes, float32; matrix product: %.0f GMAC/s",
            libtorch,
            threads, size, size, matrixRate)
        let lines = rows.map { row in
            row.name.padding(toLength: 34, withPad: " ", startingAt: 0)
                + String(
                    format: "%8.3f s (%.3f to %.3f)  %6.2f GB  %6.1f GMAC/s  %3.0f%%", row.median, row.least, row.most,
                    Double(row.peakMemory) / 1e9, row.rate, 100 * row.share)
                + (row.plainRatio.map { String(format: "  plain form: %.1f times as long", $0) } ?? "")
        }
        return ([head] + lines).joined(separator: "\n")
    }
}

private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
