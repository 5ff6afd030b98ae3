import Foundation
import Reporting
import Runs
import SearchSpace
import Torch

/// The architecture that a run has now, and how sure a search is of it.
public struct LiveArchitecture: Sendable {
    /// The strongest network.
    public let genotype: Genotype
    /// Softmaxed beta by arrow; nil where nothing is searched.
    public let beta: [Double]?
    /// Softmaxed alpha, a row of 8 an edge; nil where nothing is searched.
    public let alpha: [[Double]]?
    /// How far each gate of a long skip is open; nil where none are searched.
    public let gates: [Double]?

    /// Looks into a run's folder; another argument is taken as `loadGenotype(_:)` takes it.
    ///
    /// - Parameter argument: A run folder, a genotype file, or a known network's name.
    /// - Throws: `RunError` where there is no architecture yet, `SearchSpaceError` where the file is damaged.
    public init(of argument: String) throws {
        let paths = RunPaths(folder: argument)
        let log = optionalContents(of: paths.log) ?? Data()
        if let record = RunRecord.all(in: log).last, let genotype = record.genotype {
            self.init(genotype: genotype, beta: record.beta, alpha: record.alpha, gates: record.gates)
        } else if FileManager.default.fileExists(atPath: paths.genotypes),
            let found = try? architecture(ofCheckpoint: paths.lastCheckpoint)
        {
            self.init(
                genotype: found.genotype, beta: found.table.arrows, alpha: found.table.operators,
                gates: found.table.gates)
        } else {
            self.init(genotype: try loadGenotype(argument), beta: nil, alpha: nil, gates: nil)
        }
    }

    private init(genotype: Genotype, beta: [Double]?, alpha: [[Double]]?, gates: [Double]?) {
        self.genotype = genotype
        self.beta = beta
        self.alpha = alpha
        self.gates = gates
    }

    /// The network level and the cell as SVG, as thick and dark as they are probable.
    public func drawing(title: String?) -> String {
        drawGenotype(genotype, arrows: beta, alpha: alpha, gates: gates, title: title)
    }
}

/// What a run's folder tells to somebody who watches it from another terminal.
public struct LiveRun: Sendable {
    /// Whether a process is at work in the folder.
    public let isRunning: Bool
    /// Seconds since it said how far it is.
    public let age: Double
    /// How far it is; nil before the first second.
    package let status: RunStatus?
    /// The last epoch's record.
    package let record: RunRecord?

    /// Reads the folder.
    ///
    /// - Throws: `RunError` where it is no run's.
    public init(folder: String) throws {
        let paths = RunPaths(folder: folder)
        guard FileManager.default.fileExists(atPath: paths.configuration) else {
            throw RunError(.missing, path: folder, "no run is in this folder")
        }
        // Asked first, so that of a run that has ended everything is seen.
        isRunning = FolderLock.isHeld(folder)
        status = optionalContents(of: paths.status).flatMap {
            try? JSONDecoder().decode(RunStatus.self, from: $0)
        }
        let said = (try? FileManager.default.attributesOfItem(atPath: paths.status))?[.modificationDate] as? Date
        age = said.map { Date().timeIntervalSince($0) } ?? .infinity
        record = RunRecord.all(in: optionalContents(of: paths.log) ?? Data()).last
    }

    /// The run that is at work in a folder of several, or that was last: of `run`, candidates, trials or a comparison.
    ///
    /// - Parameter folder: A run's folder, or one with runs in folders up to two below it.
    /// - Returns: The run's folder below it; empty for the folder itself.
    public static func newest(in folder: String) -> String {
        let files = FileManager.default
        func begun(_ path: String) -> Date? {
            let status = RunPaths(folder: folder + "/" + path).status
            return (try? files.attributesOfItem(atPath: status))?[.modificationDate] as? Date
        }
        func folders(_ path: String) -> [String] {
            let names = (try? files.contentsOfDirectory(atPath: folder + "/" + path)) ?? []
            return names.prefix(10_000).filter { !$0.hasPrefix(".") }.map {
                path.isEmpty ? $0 : path + "/" + $0
            }
        }
        if begun("") != nil { return "" }
        let below = folders("").flatMap { [$0] + folders($0) }
        let runs = below.compactMap { path in begun(path).map { (path, $0) } }
        return runs.max { $0.1 < $1.1 }?.0 ?? ""
    }

    /// Whether the last step is done.
    public var isFinished: Bool { status.map { $0.completed >= $0.total } ?? false }

    /// The live line, the last epoch's measurements, and a search's current architecture.
    public var lines: [String] {
        var lines = [status?.line ?? "not begun"]
        guard let record else { return lines }
        let values = record.values.sorted { $0.key < $1.key }.map { "\($0.key) \(String(format: "%.4g", $0.value))" }
        lines.append("epoch \(record.epoch + 1): " + values.joined(separator: "  "))
        if let path = record.path {
            lines.append("path  \(sparkline(path))  " + path.map { String($0.rawValue) }.joined(separator: " "))
        }
        if let genotype = record.genotype {
            if let skips = genotype.skipDescription { lines.append("long skips from layer \(skips)") }
            lines += zip(1..., genotype.cell.blocks).map { number, block in
                "block\(number) = "
                    + block.branches.map { "\($0.op.rawValue)(\($0.input.name))" }.joined(separator: " + ")
            }
        }
        return lines
    }
}
