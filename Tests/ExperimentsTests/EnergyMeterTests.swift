import Foundation
import Runs
import TestSupport
import Testing

@Suite("Energy")
struct EnergyMeterTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func zone(_ name: String, _ text: String, range: String? = nil, microjoules: String? = nil) throws {
        try folder.write(text + "\n", to: name + "/name")
        if let range { try folder.write(range + "\n", to: name + "/max_energy_range_uj") }
        if let microjoules { try folder.write(microjoules + "\n", to: name + "/energy_uj") }
    }

    @Test("Packages are summed up, their parts are not, and a counter that began anew goes on")
    func counters() throws {
        try zone("intel-rapl:0", "package-0", range: "262143328850", microjoules: "1000000")
        try zone("intel-rapl:0:0", "core", range: "262143328850", microjoules: "500000")
        try zone("intel-rapl:1", "package-1", range: "4000000", microjoules: "3500000")
        try zone("dtpm", "package-2")
        let meter = try #require(EnergyMeter(root: folder.path))
        #expect(meter.joules == 0)
        try folder.write("3500000\n", to: "intel-rapl:0/energy_uj")
        try folder.write("9000000\n", to: "intel-rapl:0:0/energy_uj")
        #expect(meter.joules == 2.5)
        // Half a joule up to its end, and a quarter from 0 on.
        try folder.write("250000\n", to: "intel-rapl:1/energy_uj")
        #expect(meter.joules == 3.25)
        try FileManager.default.removeItem(atPath: folder.path + "/intel-rapl:1/energy_uj")
        #expect(meter.joules == nil)
    }

    @Test("Where nothing tells there is no meter", arguments: ["", "many", "-1", "1e300"])
    func silent(microjoules: String) throws {
        #expect(EnergyMeter(root: folder.path + "/absent") == nil)
        try zone("intel-rapl:0", "package-0", range: "4000000", microjoules: microjoules)
        #expect(EnergyMeter(root: folder.path) == nil)
    }
}
