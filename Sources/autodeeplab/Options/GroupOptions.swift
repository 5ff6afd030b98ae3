import ArgumentParser
import Configurations
import Dispatch
import Experiments
import Foundation
import Torch

/// Several processes that share every batch: started here, by torchrun or by Slurm.
struct GroupOptions: ParsableArguments {
    @Option(help: "Processes on this machine that share every batch; torchrun and Slurm start them by themselves.")
    var processes = 1

    @Option(help: ArgumentHelp("Seconds after which a silent process of the group is lost.", valueName: "seconds"))
    var groupTimeout = 60.0

    func validate() throws {
        guard (1...256).contains(processes) else {
            throw ValidationError("--processes \(processes): expected a whole number from 1 to 256")
        }
        guard groupTimeout.isFinite, (1...86_400).contains(groupTimeout) else {
            throw ValidationError("--group-timeout \(groupTimeout): expected a number of seconds from 1 to 86400")
        }
        if processes > 1 && ProcessInfo.processInfo.environment["RANK"] != nil && !Launcher.startedThis {
            throw ValidationError("--processes is for one machine without torchrun, whose RANK is set: leave it out")
        }
    }

    private var environment: GroupEnvironment? {
        get throws { try GroupEnvironment(ProcessInfo.processInfo.environment, timeout: groupTimeout) }
    }

    /// Whether this start follows one in which a process failed.
    var isRestart: Bool { (try? environment)??.isRestart ?? false }

    /// Shares the machine's cores out where nothing else is asked for.
    func adapt(_ configuration: Configuration) throws -> Configuration {
        var configuration = configuration
        if configuration.threads == 0, let environment = try environment { configuration.threads = environment.threads }
        return configuration
    }

    /// Starts the processes and ends with them, or meets the others.
    func enter() throws {
        if let environment = try environment {
            try Launcher.startedThis ? join(environment) : environment.join()
        } else if processes > 1 {
            throw ExitCode(try Launcher(processes: processes, timeout: groupTimeout).run())
        }
    }

    /// Meets the others that the same starter has started, which holds the store: without it none of them will come.
    private func join(_ environment: GroupEnvironment) throws {
        let isFirst = environment.rendezvous.rank == 0
        let line = "the starter of the group is gone: start it again"
        let watch = StarterWatch(on: DispatchQueue(label: "starter")) {
            if isFirst { writeError(line) }
            _exit(ExitStatus.groupLost.rawValue)
        }
        defer { withExtendedLifetime(watch) {} }
        do {
            try environment.join()
        } catch {
            throw StarterWatch.isStarterGone ? GroupError(line, isToldByOther: !isFirst) : error
        }
    }
}
