import SearchSpace

/// Who wants to know how far a run is; the library itself prints nothing.
///
/// Events come from the thread that runs the loop, and may be many a second: a receiver draws as often as it likes.
public protocol ProgressReporter: Sendable {
    /// Takes one event.
    func report(_ event: ProgressEvent)
}

/// What happens in a run, for somebody who watches it.
public enum ProgressEvent: Equatable, Sendable {
    /// A stage begins: "search", of so many steps.
    case began(stage: String, unit: String, total: Int)
    /// So many units of the stage are done.
    case advanced(Advance)
    /// The stage is over.
    case ended(stage: String)
    /// A line worth keeping: the end of an epoch, a better validation, a checkpoint.
    case note(String)
    /// A line about something that may be wrong.
    case warning(String)
}

/// How far a stage is.
public struct Advance: Equatable, Sendable {
    /// Units done, those before a resume included.
    public var completed: Int
    /// Where in the stage this is: "epoch 3/40".
    public var position: String
    /// What was measured last, in the order of showing: loss, learning rate.
    public var values: [Measurement]
    /// The strides of a search's current path; none in other stages.
    public var path: [Stride]

    /// A name and its value.
    public struct Measurement: Codable, Equatable, Sendable {
        /// What was measured.
        public var name: String
        /// Its value.
        public var value: Double

        /// A name and its value.
        public init(_ name: String, _ value: Double) {
            self.name = name
            self.value = value
        }
    }

    /// So many units done.
    public init(completed: Int, position: String = "", values: [Measurement] = [], path: [Stride] = []) {
        self.completed = completed
        self.position = position
        self.values = values
        self.path = path
    }
}

/// Takes events and shows nothing.
public struct SilentReporter: ProgressReporter {
    /// Takes events and shows nothing.
    public init() {}

    /// Does nothing.
    public func report(_ event: ProgressEvent) {}
}
