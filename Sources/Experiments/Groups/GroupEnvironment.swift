import Configurations
import Datasets
import Foundation
import Torch

/// How a process was started as one of several: by torchrun's variables, or by Slurm's.
public struct GroupEnvironment: Equatable, Sendable {
    /// Where the processes meet.
    public var rendezvous: ProcessGroup.Rendezvous
    /// This process's number among those of its machine.
    public var localRank: Int
    /// Processes on this machine.
    public var localSize: Int
    /// Whether the processes were started again after one had failed: the run then goes on.
    public var isRestart: Bool

    /// Reads the variables.
    ///
    /// torchrun's are `RANK`, `WORLD_SIZE`, `MASTER_ADDR`, `MASTER_PORT`, `LOCAL_RANK`, `LOCAL_WORLD_SIZE`,
    /// `TORCHELASTIC_USE_AGENT_STORE` and `TORCHELASTIC_RESTART_COUNT`. Slurm's are those that `srun` sets for a step.
    ///
    /// Nil for a process alone.
    ///
    /// - Parameters:
    ///   - variables: The environment.
    ///   - timeout: Seconds after which a process that is not heard of is lost.
    /// - Throws: `ConfigurationError` that names the variable which is missing or makes no sense.
    public init?(_ variables: [String: String], timeout: Double) throws(ConfigurationError) {
        func number(_ name: String, _ range: ClosedRange<Int>, or fallback: Int? = nil) throws(ConfigurationError)
            -> Int
        {
            guard let text = variables[name] else {
                if let fallback { return fallback }
                throw ConfigurationError(.missingValue, "\(name) is not set, where other variables of a group are")
            }
            guard let value = Int(text), range.contains(value) else {
                throw ConfigurationError(
                    .missingValue,
                    "\(name)=\(text): expected a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }
        let host: String
        var port = 29_500
        let size: Int
        let rank: Int
        var usesAgent = false
        var restarts = 0
        if variables["RANK"] != nil, variables["WORLD_SIZE"] != nil {
            size = try number("WORLD_SIZE", 1...GroupEnvironment.mostProcesses)
            rank = try number("RANK", 0...size - 1)
            localRank = try number("LOCAL_RANK", 0...size - 1, or: rank)
            localSize = try number("LOCAL_WORLD_SIZE", 1...size, or: 1)
            guard let address = variables["MASTER_ADDR"], !address.isEmpty else {
                throw ConfigurationError(.missingValue, "MASTER_ADDR is not set, where RANK and WORLD_SIZE are")
            }
            host = address
            port = try number("MASTER_PORT", 1...65_535)
            usesAgent = variables["TORCHELASTIC_USE_AGENT_STORE"]?.lowercased() == "true"
            restarts = try number("TORCHELASTIC_RESTART_COUNT", 0...1_000_000, or: 0)
        } else if let nodes = variables["SLURM_STEP_NODELIST"], variables["SLURM_PROCID"] != nil {
            size = try number("SLURM_STEP_NUM_TASKS", 1...GroupEnvironment.mostProcesses, or: nil)
            rank = try number("SLURM_PROCID", 0...size - 1)
            localRank = try number("SLURM_LOCALID", 0...size - 1, or: 0)
            // As "2(x3),1": two tasks on each of three nodes, one on the last.
            let tasks = variables["SLURM_STEP_TASKS_PER_NODE"].map { $0.prefix { $0.isASCII && $0.isNumber } }
            localSize = tasks.flatMap { Int($0) }.map { min(max($0, 1), size) } ?? 1
            host = variables["MASTER_ADDR"] ?? GroupEnvironment.firstHost(of: nodes)
            // Two jobs on one node must not meet.
            let job = try number("SLURM_JOB_ID", 0...Int.max, or: 0)
            port = try number("MASTER_PORT", 1...65_535, or: 20_000 + job % 10_000)
            restarts = try number("SLURM_RESTART_COUNT", 0...1_000_000, or: 0)
        } else {
            return nil
        }
        guard size > 1 else { return nil }
        guard !host.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0.value < 32 }) else {
            throw ConfigurationError(
                .missingValue, "MASTER_ADDR=\(host.debugDescription): expected the name or address of one machine")
        }
        isRestart = restarts > 0
        // A loopback address written out leaves no doubt; a name that turns out to be one does.
        let isLoopback = host == "localhost" || host == "::1" || host.hasPrefix("127.")
        rendezvous = ProcessGroup.Rendezvous(
            host: host, port: port, opensStore: !usesAgent, isOneMachine: localSize == size || isLoopback,
            prefix: usesAgent ? "autodeeplab/\(restarts)" : "",
            rank: rank, size: size, heartbeatTimeout: timeout,
            timeout: 10 * timeout)
    }

    /// More processes than any batch is shared by.
    static let mostProcesses = 4_096

    /// The first host of Slurm's list: `node[03-05,9],other` gives `node03`.
    static func firstHost(of list: String) -> String {
        let name = list.prefix { $0 != "," && $0 != "[" }
        let rest = list.dropFirst(name.count)
        guard rest.first == "[" else { return String(name) }
        return String(name) + String(rest.dropFirst().prefix { $0 != "," && $0 != "-" && $0 != "]" })
    }

    /// Meets the other processes.
    ///
    /// - Throws: ``GroupError`` that names the rank which did not come, or the port that is taken.
    public func join() throws(GroupError) {
        do {
            _ = try ProcessGroup.join(rendezvous)
        } catch {
            throw GroupError(error.description)
        }
    }

    /// A process's share of the machine's cores.
    public var threads: Int { max(1, ProcessInfo.processInfo.activeProcessorCount / localSize) }
}

/// What ends a process because of another one of its group, or because they cannot work together.
public struct GroupError: Error, Equatable, CustomStringConvertible {
    /// The whole line; it names the rank.
    public let description: String
    /// Whether that rank tells more about it itself.
    public let isToldByOther: Bool

    /// An error of one line.
    public init(_ description: String, isToldByOther: Bool = false) {
        self.description = description
        self.isToldByOther = isToldByOther
    }
}
