import ArgumentParser
import Experiments
import Runs

/// `report`: a run's page, written anew.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write report.html of a run anew, as after an evaluation.")

    @Argument(help: "A run's folder.")
    var folder: String

    func run() throws {
        let target = RunPaths(folder: folder).report
        try refusePageOfSeveral(ofRun: folder)
        try OutputPaths(in: folder).refuseLinks(at: [target])
        try InputFiles(run: folder).refuse([target])
        print(try writeReport(ofRun: folder))
    }
}
