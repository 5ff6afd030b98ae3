import ArgumentParser
import Experiments
import Foundation
import Segmentation

/// The root command: its subcommands are the verbs.
@main
struct AutoDeepLab: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "autodeeplab",
        abstract: "Finds, trains and uses a segmentation network that was designed for your images.",
        discussion: """
            GENOTYPE is a genotype file, a run folder, or one of the names auto-deeplab, deeplabv3, conv-deconv, \
            stacked-hourglass; the last three also with a number of layers, as deeplabv3:8.

            Exit status: 0 done, 64 wrong usage, 65 bad data, 66 missing input, 70 internal fault, 73 cannot write, \
            75 another process of the group is lost, 130 interrupted.
            """,
        version: packageVersion,
        subcommands: [
            DemoVerb.self, SearchVerb.self, Decode.self, Train.self, Evaluate.self, Compare.self, Predict.self,
            ExportVerb.self, Bench.self, Inspect.self, Draw.self, SampleVerb.self, Watch.self, Report.self,
            DataVerb.self, Doctor.self,
        ])

    static func main() async {
        StandardStreams.prepare()
        ProcessMemory.boundThreadCaches()
        reportEngineFailures()
        // Dispatch would wait for one without end.
        guard canStartThread() else {
            writeError("no thread can be started: raise the limit of processes (ulimit -u)")
            _exit(ExitStatus.internalFault.rawValue)
        }
        do {
            var command = try parseAsRoot()
            reportEngineFailures(of: command)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            leave(because: error)
        }
        StandardStreams.exit(ExitStatus.done.rawValue)
    }
}
