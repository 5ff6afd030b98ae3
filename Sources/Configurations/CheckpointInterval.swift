/// How often a checkpoint is written; in a file `epoch`, `500 steps` or `10 min`.
public enum CheckpointInterval: Equatable, Sendable, CustomStringConvertible {
    /// At the end of each epoch.
    case epoch
    /// After so many steps.
    case steps(Int)
    /// After so many minutes, at the end of a step.
    case minutes(Double)

    /// Reads `epoch`, `500 steps` or `10 min`; nil for anything else.
    public init?(_ text: String) {
        if text == "epoch" {
            self = .epoch
            return
        }
        let number = text.prefix { !$0.isLetter && $0 != " " }
        switch text.dropFirst(number.count).drop(while: { $0 == " " }) {
        case "steps", "step":
            guard let steps = Int(number), steps > 0 else { return nil }
            self = .steps(steps)
        case "min", "minutes":
            guard let minutes = Double(number), minutes.isFinite, minutes > 0 else { return nil }
            self = .minutes(minutes)
        default:
            return nil
        }
    }

    /// As it stands in a file.
    public var description: String {
        switch self {
        case .epoch: "epoch"
        case .steps(let steps): "\(steps) steps"
        case .minutes(let minutes): "\(minutes) min"
        }
    }
}

extension CheckpointInterval: Encodable {
    /// Writes the text form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
