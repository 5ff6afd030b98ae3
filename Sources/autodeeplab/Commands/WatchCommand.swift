import ArgumentParser
import Experiments
import Foundation

/// `watch`: a run as it goes on, from another terminal.
struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show how far a run is, and its current architecture, until it ends or stops.",
        discussion: "Only the run's folder is read; Ctrl-C ends the watching and not the run.")

    @Argument(help: "A run's folder.")
    var folder: String

    @Flag(help: "Show it once and end.")
    var once = false

    func run() throws {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        var shown: [String] = []
        while true {
            let live = try LiveRun(folder: folder)
            var lines = live.lines.map { printable(oneLine($0)) }
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
            if !live.isRunning {
                if !live.isFinished { print("no process is at work here: --resume goes on with the run") }
                return
            }
            sleep(1)
        }
    }
}
