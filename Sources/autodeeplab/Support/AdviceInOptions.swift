import Configurations
import Runs

extension Advice {
    /// The advice in terms of this command's options.
    var inOptions: String {
        switch self {
        case .resume(let run): "go on with --output \(shellWord(run)) --resume"
        case .mendAndResume(let run): "mend this and go on with --output \(shellWord(run)) --resume"
        case .resumeWith(let settings, let run, let rate):
            "go on with --output \(shellWord(run)) --resume and \(settings.map { "--set " + $0 }.joined(separator: " or ")), or "
                + "lower \(rate) in a new run"
        case .resumeOrTakeOtherFolder(let what): "go on with the \(what) in it by --resume, or name another folder"
        case .takeOtherOutput: "name another --output"
        case .takeOtherOutputOrRemove: "name another --output, or take it away"
        case .giveNoGenotypeOrBeginAnew: "leave --genotype out, or begin a new run"
        case .giveGenotypeOrStart: "leave --genotype out, or --from"
        case .nameData: "name the data set's folder: run DATA, or --data DIR in other commands"
        case .repeatDemo(let output): "go on with demo --output \(shellWord(output))"
        case .resumeAutomaticRun(let output): "go on with run --output \(shellWord(output)) --resume"
        }
    }
}

/// An error's line, with what to do in terms of this command's options.
func message(of error: any Error) -> String {
    (error as? any AdvisedError)?.line(\.inOptions) ?? "\(error)"
}
