import ArgumentParser
import Experiments
import Foundation

/// `watch`: a run as it goes on, from another terminal.
struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show how far a run is, and its current architecture, until it ends.",
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
            // Elsewhere than on a terminal only what changed is worth a line.
            if isTerminal, !shown.isEmpty { print("\u{1B}[\(shown.count)A\u{1B}[J", terminator: "") }
            if isTerminal || live.lines != shown { print(live.lines.joined(separator: "\n")) }
            fflush(nil)
            shown = live.lines
            if once || live.isFinished { return }
            sleep(1)
        }
    }
}
