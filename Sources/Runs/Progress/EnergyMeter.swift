import Foundation
import Torch

/// The energy that the processor has taken, as Linux counts it where the processor tells (RAPL).
///
/// All that runs on the machine is counted, memory and disks are not. Most systems show the counters to root alone.
package struct EnergyMeter: Sendable {
    /// A processor package's counter in microjoules, which begins anew at 0 after `range`.
    private struct Counter: Sendable {
        let file: String
        let range: Double
        let start: Double
    }

    private let counters: [Counter]

    /// Begins to count; nil where the system does not tell.
    ///
    /// - Parameter root: The folder of the counters.
    package init?(root: String = "/sys/class/powercap") {
        let zones = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted()
        counters = zones.compactMap { zone in
            let folder = root + "/" + zone
            // Cores and graphics are counters of their own within a package's.
            guard EnergyMeter.text(folder + "/name")?.hasPrefix("package-") == true,
                let range = EnergyMeter.number(folder + "/max_energy_range_uj"),
                let start = EnergyMeter.number(folder + "/energy_uj")
            else { return nil }
            return Counter(file: folder + "/energy_uj", range: range, start: start)
        }
        if counters.isEmpty { return nil }
    }

    /// Joules since it began, of all packages; nil where a counter can no longer be read.
    ///
    /// A counter may begin anew once in that time, which takes it some minutes at full load.
    package var joules: Double? {
        let microjoules = counters.compactMap { counter in
            EnergyMeter.number(counter.file).map { now in
                now >= counter.start ? now - counter.start : now + counter.range - counter.start
            }
        }
        return microjoules.count == counters.count ? microjoules.reduce(0, +) / 1e6 : nil
    }

    private static func text(_ path: String) -> String? {
        (try? boundedContents(of: path, limit: 256)).map {
            String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    private static func number(_ path: String) -> Double? {
        text(path).flatMap { Double($0) }.flatMap { (0...1e18).contains($0) ? $0 : nil }
    }
}
