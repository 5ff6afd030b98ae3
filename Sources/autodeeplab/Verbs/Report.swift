import ArgumentParser
import Experiments

/// `report`: a run's page, written anew.
struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write report.html of a run anew, as after an evaluation.")

    @Argument(help: "A run's folder.")
    var folder: String

    func run() throws {
        print(try writeReport(ofRun: folder))
    }
}
