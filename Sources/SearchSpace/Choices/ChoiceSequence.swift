/// Categorical choices in the order in which a controller makes them: a space of networks as it sees one.
public struct ChoiceSequence: Sendable {
    /// One choice among a number of alternatives.
    public struct Choice: Hashable, Sendable {
        /// What decides it; choices of one head share its parameters, and have equally many alternatives.
        public let head: String
        /// How many alternatives there are.
        public let count: Int

        /// A choice.
        ///
        /// - Parameters:
        ///   - head: The name of what decides it, as names of variables are: dots make levels.
        ///   - count: How many alternatives there are, at least 1.
        public init(head: String, count: Int) {
            self.head = head
            self.count = count
        }
    }

    /// The choices, the first first.
    public let choices: [Choice]
    /// Steps that are made before the first choice and decide nothing.
    public let warmUp: Int
    private let legal: (@Sendable ([Int]) -> [Bool]?)?

    /// A sequence of choices.
    ///
    /// - Parameters:
    ///   - choices: At least one.
    ///   - warmUp: Steps that are made before the first.
    ///   - legal: Told the choices made so far, says which alternatives of the next one may be taken, at least one;
    ///     nil stands for all of them.
    public init(_ choices: [Choice], warmUp: Int = 0, legal: (@Sendable ([Int]) -> [Bool]?)? = nil) {
        precondition(!choices.isEmpty && warmUp >= 0, "\(choices.count) choices after \(warmUp) steps")
        self.choices = choices
        self.warmUp = warmUp
        self.legal = legal
        for choice in choices {
            precondition(
                choice.count >= 1 && choices.allSatisfy { $0.head != choice.head || $0.count == choice.count },
                "\(choice.head): \(choice.count) alternatives")
        }
    }

    /// The heads with the number of their alternatives, in the order in which they come first.
    public var heads: [Choice] {
        var seen: Set<Choice> = []
        return choices.filter { seen.insert($0).inserted }
    }

    /// Which alternatives may be taken after these choices; nil where all may.
    public func legal(after made: [Int]) -> [Bool]? {
        guard let mask = legal?(made), mask.contains(false) else { return nil }
        let count = choices[made.count].count
        precondition(mask.count == count && mask.contains(true), "\(mask) for \(count) alternatives")
        return mask
    }

    /// Whether these are all choices, each among what may be taken after those before it.
    public func accepts(_ made: [Int]) -> Bool {
        made.count == choices.count
            && made.indices.allSatisfy { place in
                (0..<choices[place].count).contains(made[place])
                    && legal(after: Array(made[..<place]))?[made[place]] ?? true
            }
    }
}

/// What a controller is fed after a choice (arXiv 1810.10804; ALGORITHM 15).
public enum ControllerFeedback: String, CaseIterable, Codable, Sendable {
    /// The recurrent network's own output, whatever was chosen, as in the code of that paper: the choices are independent
    /// but for what is illegal.
    case published
    /// An embedding of what was chosen, so that later choices can depend on earlier ones.
    case autoregressive
}

/// How a controller learns from scores (ALGORITHM 15).
public enum PolicyRule: String, CaseIterable, Codable, Sendable {
    /// Proximal policy optimisation with clipped ratios, over the latest candidates.
    case ppo
    /// One step along the policy's gradient, by the newest candidate alone.
    case reinforce
}
