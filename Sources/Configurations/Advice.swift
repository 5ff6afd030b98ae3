/// What a user can do about an error.
///
/// The libraries put it in words that hold in any program; one that has options for it can put it in terms of them
/// (``AdvisedError/line(_:)``).
public enum Advice: Hashable, Sendable, CustomStringConvertible {
    /// Resume the run in a folder.
    case resume(run: String)
    /// Mend what is wrong, then resume the run in a folder.
    case mendAndResume(run: String)
    /// Resume the run in a folder under one of some settings, each `key=value`, or begin one with a lower value of another.
    case resumeWith(settings: [String], run: String, lowering: String)
    /// Resume what is in a folder, a run or a search, or take another folder.
    case resumeOrTakeOtherFolder(of: String)
    /// Write to another place.
    case takeOtherOutput
    /// Write to another place, or take away what lies there.
    case takeOtherOutputOrRemove
    /// Give no network to a run that has one, or begin a new run.
    case giveNoGenotypeOrBeginAnew
    /// Give a network or a model to start from, not both.
    case giveGenotypeOrStart
    /// Name the folder of the data set.
    case nameData
    /// Run the demo in a folder again.
    case repeatDemo(output: String)
    /// Go on with the run of all stages in a folder.
    case resumeAutomaticRun(output: String)

    /// The advice as a part of a sentence.
    public var description: String {
        switch self {
        case .resume(let run): "resume the run in \(run)"
        case .mendAndResume(let run): "mend this and resume the run in \(run)"
        case .resumeWith(let settings, let run, let rate):
            "resume the run in \(run) with \(settings.joined(separator: " or ")), or lower \(rate) in a new run"
        case .resumeOrTakeOtherFolder(let what): "resume the \(what) in it, or name another folder"
        case .takeOtherOutput: "name another place to write to"
        case .takeOtherOutputOrRemove: "name another place to write to, or take it away"
        case .giveNoGenotypeOrBeginAnew: "give no genotype, or begin a new run"
        case .giveGenotypeOrStart: "give either a genotype or a model to start from"
        case .nameData: "name the folder of the data set (data.root)"
        case .repeatDemo(let output): "run the demo in \(output) again"
        case .resumeAutomaticRun(let output): "go on with the run in \(output)"
        }
    }
}

/// An error of one line, which may end with what to do.
public protocol AdvisedError: Error, CustomStringConvertible {
    /// What to do; nil where the line says so itself, or nothing can be done.
    var advice: Advice? { get }

    /// The whole line.
    ///
    /// - Parameter words: The advice as it is to stand in the line.
    /// - Returns: The line.
    func line(_ words: (Advice) -> String) -> String
}

extension AdvisedError {
    /// The whole line, with the advice in the libraries' words.
    public var description: String { line(\.description) }
}
