import ArgumentParser
import Datasets
import Foundation
import Runs

/// The root command: its subcommands are the verbs.
@main
struct AutoDeepLab: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "autodeeplab",
        abstract: "Finds, trains and uses a segmentation network that was designed for your images.",
        discussion: """
            GENOTYPE is a genotype file, a run folder, or one of the names auto-deeplab, deeplabv3, conv-deconv, \
            stacked-hourglass, unet; the last four also with a number of layers, as deeplabv3:8, unet with 3 or 4 levels, \
            as unet:4.

            Exit status: 0 done, 64 wrong usage, 65 bad data, 66 missing input, 70 internal fault, 73 cannot write, \
            75 another process of the group is lost, 130 interrupted.
            """,
        version: packageVersion,
        subcommands: [
            RunCommand.self, DemoCommand.self, SearchCommand.self, DecodeCommand.self, TrainCommand.self,
            EvaluateCommand.self,
            CompareCommand.self, PredictCommand.self,
            ExportCommand.self, BenchCommand.self, InspectCommand.self, DrawCommand.self, SampleCommand.self,
            WatchCommand.self, ReportCommand.self,
            DataCommand.self, DoctorCommand.self,
        ])

    static func main() async {
        StandardStreams.prepare()
        ProcessMemory.boundThreadCaches()
        reportEngineFailures()
        // Names that are changed in the reading would be those of other files.
        for argument in CommandLine.unreadableArguments {
            writeError("the argument '\(argument)' is not UTF-8: rename the file, or go by a link to it")
            _exit(ExitStatus.usage.rawValue)
        }
        // Dispatch ends the program without a word where it gets no descriptor.
        guard canOpenFiles(8) else {
            writeError("too few files can be open at a time: raise the limit (ulimit -n 256)")
            _exit(ExitStatus.internalFault.rawValue)
        }
        // Dispatch would wait for one without end.
        guard canStartThread() else {
            writeError("no thread can be started: raise the limits of processes and memory (ulimit -u, -v)")
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

extension CommandLine {
    /// The arguments that are not UTF-8, as far as they can be shown.
    fileprivate static var unreadableArguments: [String] {
        (0..<Int(argc)).compactMap { unsafeArgv[$0] }.filter { String(validatingCString: $0) == nil }
            .map { String(cString: $0) }
    }
}

/// Whether so many more files can be open at a time.
private func canOpenFiles(_ count: Int) -> Bool {
    let descriptors = (0..<count).map { _ in open("/dev/null", O_RDONLY | O_CLOEXEC) }
    for descriptor in descriptors where descriptor >= 0 { close(descriptor) }
    return descriptors.allSatisfy { $0 >= 0 }
}
