import ArgumentParser
import Experiments
import Foundation

/// `watch`: a run as it goes on, from another terminal.
struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show how far a run is, and its current architecture, until it ends or stops.",
        discussion:
            "Of a folder of several runs the one at work is shown. Only the run's folder is read; Ctrl-C ends the watching and "
            + "not the run."
    )

    @Argument(help: "A run's folder, or one of several: of run, a race, trials, a comparison.")
    var folder: String

    @Flag(help: "Show it once and end.")
    var once = false

    func run() throws {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        var shown: [String] = []
        while true {
            let own = LiveRun.newest(in: folder)
            let live = try LiveRun(folder: own.isEmpty ? folder : folder + "/" + own)
            var lines = ((own.isEmpty ? [] : [own]) + live.lines).map { printable(oneLine($0)) }
            if isTerminal {
                // A line that is folded, or more than the screen holds, could not be taken back.
                let size = terminalSize(of: STDOUT_FILENO)
                lines = lines.prefix(max(1, size.rows - 1)).map { String($0.prefix(max(1, size.columns - 1))) }
                if !shown.isEmpty { StandardStreams.output("\u{1B}[\(shown.count)A\u{1B}[J") }
            }
            // Elsewhere than on a terminal only what changed is worth a line.
            if isTerminal || lines != shown { print(lines.joined(separator: "\n")) }
            shown = lines
            if once { return }
            // Of several runs the next one may be about to begin.
            if !live.isRunning, own.isEmpty || live.age >= 60 {
                if !live.isFinished { print("no process is at work here: --resume goes on with the run") }
                return
            }
            sleep(1)
        }
    }
}
