import Comparisons
import Configurations
import Experiments
import Foundation
import Networks
import Runs
import SearchSpace
import Synchronization
import TestSupport
import Testing
import Torch

/// Says times that follow from an operation's name, and counts how often it is asked.
final class FakeMeter: OperationMeter {
    private let asked = Mutex<[[String]]>([])
    private let factor: Double

    init(factor: Double = 1) { self.factor = factor }

    /// The keys of each call.
    var calls: [[String]] { asked.withLock { $0 } }

    /// Multiples of 1/8, so that sums are exact in any order.
    static func time(of operation: NetworkOperation) -> Double {
        Double(1 + operation.key.utf8.reduce(7) { ($0 &* 31 &+ Int($1)) % 97 }) / 8
    }

    func milliseconds(of operations: [NetworkOperation]) -> [Double] {
        asked.withLock { $0.append(operations.map(\.key)) }
        return operations.map { FakeMeter.time(of: $0) * factor }
    }
}

/// The table of latencies: sums, what is measured and when, files.
@Suite("Table of latencies")
struct LatencyTests {
    private let machine = LatencyTable.Machine(processor: "Abacus", device: "cpu", threads: 1, libtorch: "2")

    private func network(_ name: String, filters: Int = 4) throws -> NetworkDescription {
        let genotype = try #require(try KnownDesign.genotype(named: name))
        return .discrete(genotype, DiscreteConfiguration(filters: filters, classes: 3))
    }

    private let images = InputSpecification(classes: 3, height: 65, width: 97)

    @Test("A network takes the sum of its operations, each as often as it occurs, for every window")
    func sums() throws {
        let model = LatencyModel(machine: machine, meter: FakeMeter())
        let network = try network("deeplabv3:4")
        let wanted = network.operations(height: 65, width: 97).reduce(0) { $0 + FakeMeter.time(of: $1) }
        #expect(try model.milliseconds(of: network, on: images) == wanted)
        var windows = images
        windows.windows = 3
        #expect(try model.milliseconds(of: network, on: windows) == 3 * wanted)
    }

    @Test("What has a time is not measured again, and all that is missing is measured at once")
    func measuredOnce() throws {
        let meter = FakeMeter()
        let model = LatencyModel(machine: machine, meter: meter)
        let (first, second) = (try network("deeplabv3:4"), try network("stacked-hourglass:4"))
        for network in [first, second, first] { _ = try model.milliseconds(of: network, on: images) }
        #expect(meter.calls.count == 2)
        let all = meter.calls.flatMap { $0 }
        #expect(Set(all).count == all.count)
        #expect(Set(all) == Set([first, second].flatMap { $0.operations(height: 65, width: 97).map(\.key) }))
    }

    @Test("The user's cache serves the machine that it was measured on, and one that cannot be used is passed over")
    func cache() throws {
        let temporary = try TemporaryFolder()
        let path = temporary.file("cache/table.json")
        let network = try network("deeplabv3:4")
        func calls(_ machine: LatencyTable.Machine) throws -> Int {
            let meter = FakeMeter()
            let model = LatencyModel(machine: machine, meter: meter, cache: path)
            _ = try model.milliseconds(of: network, on: images)
            return meter.calls.count
        }
        #expect(try calls(machine) == 1)
        #expect(try calls(machine) == 0)
        var other = machine
        other.threads = 2
        #expect(try calls(other) == 1)
        try Data("{".utf8).write(to: URL(fileURLWithPath: path))
        #expect(try calls(machine) == 1)
        #expect(try calls(machine) == 0)
        // Files of different machines have different names.
        let environment = ["HOME": "/home/who"]
        let files = [machine, other].compactMap { LatencyModel.cacheFile(of: $0, environment) }
        #expect(Set(files).count == 2 && files.allSatisfy { $0.hasPrefix("/home/who/.cache/autodeeplab/latency/") })
        #expect(LatencyModel.cacheFile(of: machine, ["HOME": "", "XDG_CACHE_HOME": ""]) == nil)
        #expect(LatencyModel.cacheFile(of: machine, ["XDG_CACHE_HOME": "/c"])?.hasPrefix("/c/autodeeplab/") == true)
    }

    @Test("Times in a folder stay: whoever comes later takes them, and another machine adds none")
    func folder() throws {
        let temporary = try TemporaryFolder()
        let folder = temporary.file("search")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let (first, second) = (try network("deeplabv3:4"), try network("stacked-hourglass:4"))
        let own = LatencyModel(machine: machine, meter: FakeMeter(), place: .folder(folder))
        let time = try own.milliseconds(of: first, on: images)
        let slow = FakeMeter(factor: 10)
        let later = LatencyModel(machine: machine, meter: slow, place: .folder(folder))
        #expect(try later.milliseconds(of: first, on: images) == time)
        #expect(slow.calls.isEmpty)
        // What the one has added meanwhile the other finds.
        let added = try later.milliseconds(of: second, on: images)
        #expect(try own.milliseconds(of: second, on: images) == added)
        var stranger = machine
        stranger.processor = "Pascaline"
        let elsewhere = LatencyModel(machine: stranger, meter: FakeMeter(), place: .folder(folder))
        #expect(try elsewhere.milliseconds(of: first, on: images) == time)
        let line = failure {
            _ = try elsewhere.milliseconds(of: self.network("deeplabv3:4", filters: 5), on: self.images)
        }
        #expect(line?.contains("latency.json: was measured on Abacus") == true, "\(line ?? "")")
        try Data("[]".utf8).write(to: URL(fileURLWithPath: folder + "/latency.json"))
        let fresh = LatencyModel(machine: machine, meter: FakeMeter(), place: .folder(folder))
        let damaged = failure { _ = try fresh.milliseconds(of: first, on: self.images) }
        #expect(damaged?.contains("is no table of latencies") == true, "\(damaged ?? "")")
    }

    @Test("A table has a bound, and times that are none make a file unusable")
    func bounds() throws {
        var table = LatencyTable(machine: machine)
        table.add(Dictionary(uniqueKeysWithValues: (0..<LatencyTable.largest).map { ("\($0)", 1.0) }))
        table.add(["new": 2])
        #expect(table.milliseconds == ["new": 2])
        table.add(["new": 3])
        #expect(table.milliseconds == ["new": 2])
        let temporary = try TemporaryFolder()
        let path = temporary.file("table.json")
        try table.write(to: path)
        #expect(try LatencyTable(file: path) == table)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try Data(text.replacing(": 2", with: ": -2").utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: FileError.self) { try LatencyTable(file: path) }
    }

    @Test("A check's error is the median of the rows', each a share of what was measured")
    func check() {
        func row(_ predicted: Double, _ measured: Double) -> LatencyCheck.Row {
            .init(name: "", path: [], multiplyAdds: 1, predicted: predicted, measured: measured)
        }
        let rows = [row(9, 10), row(30, 20), row(10, 10), row(26, 20)]
        #expect(abs(LatencyCheck(machine: machine, size: [1, 1], rows: rows).medianError - 0.2) < 1e-12)
        #expect(abs(LatencyCheck(machine: machine, size: [1, 1], rows: [rows[0]]).medianError - 0.1) < 1e-12)
    }

    // MARK: Limits

    private func limits(_ values: LimitConfiguration) throws -> CostLimits {
        var train = TrainConfiguration()
        train.filters = 4
        return CostLimits(values, train, on: images) { LatencyModel(machine: machine, meter: FakeMeter()) }
    }

    @Test("Each limit alone tells what is over it, and a network at its limit is within")
    func judged() throws {
        let genotype = try KnownDesign.deeplabv3.genotype(layers: 4)
        var train = TrainConfiguration()
        train.filters = 4
        let cost = train.cost(of: genotype, on: images)
        let time = try LatencyModel(machine: machine, meter: FakeMeter()).milliseconds(
            of: .discrete(genotype, train.network(classes: 3)), on: images)
        let keys: [(WritableKeyPath<LimitConfiguration, Double>, Double, String)] = [
            (\.multiplyAdds, Double(cost.multiplyAdds), "billion multiply-adds"),
            (\.parameters, Double(cost.parameters), "million parameters"), (\.milliseconds, time, "ms an image"),
        ]
        for (key, value, words) in keys {
            var values = LimitConfiguration()
            values[keyPath: key] = value
            #expect(try limits(values).judge(.genotype(genotype), filters: 4).excess.isEmpty)
            values[keyPath: key] = value - 0.125
            let excess = try limits(values).judge(.genotype(genotype), filters: 4).excess
            #expect(excess.count == 1 && excess[0].contains(words))
        }
        let none = try limits(LimitConfiguration())
        #expect(none.latency == nil)
        let free = try none.judge(.genotype(genotype), filters: 4)
        #expect(free.milliseconds == nil && free.excess.isEmpty)
    }

    @Test("A sample has what is within the limits alone, the same as without them where that is all")
    func sampled() throws {
        let sampler = try GenotypeSampler(layers: 4, blocks: 2)
        func sample(_ limits: CostLimits?) -> GenotypeSample {
            GenotypeSample(sampler, TrainConfiguration(), on: images, wanted: nil, limits: limits)
        }
        let free = try sample(nil).draw(count: 30, seed: 1)
        var values = LimitConfiguration()
        values.milliseconds = 1e9
        let timed = try sample(limits(values)).draw(count: 30, seed: 1)
        #expect(timed.map(\.genotype) == free.map(\.genotype))
        let times = timed.compactMap(\.milliseconds).sorted()
        #expect(times.count == 30)
        values.milliseconds = times[15]
        let fitting = try sample(limits(values)).draw(count: 10, seed: 1)
        #expect(
            fitting.map(\.genotype)
                == Array(timed.filter { $0.milliseconds ?? 0 <= times[15] }.prefix(10)).map(\.genotype))
        values.milliseconds = 0.5
        let line = failure { _ = try sample(self.limits(values)).draw(count: 10, seed: 1) }
        #expect(line?.contains("raise the limit") == true, "\(line ?? "")")
    }
}
