/// What is wrong with a JSON text, and where; readers make an error of their own of it.
package struct JSONFault: Error, CustomStringConvertible {
    /// What is wrong.
    package enum Problem: Equatable, Sendable {
        /// This sign must come next.
        case sign(Unicode.Scalar)
        /// A comma or this closing sign must come next.
        case separator(Unicode.Scalar)
        /// A key must come next.
        case key
        /// A value must come next.
        case value
        /// A number must come next.
        case number
        /// A digit must come next.
        case digit
        /// A number has a zero in front.
        case leadingZero
        /// A string has no closing quote.
        case unclosedString
        /// A string holds a control character.
        case controlCharacter
        /// A string is not UTF-8.
        case encoding
        /// A string holds an escape that JSON does not know.
        case unknownEscape
        /// A `\u` is not followed by four digits.
        case incompleteEscape
        /// A `\u` is half of a pair.
        case halfPair
        /// An object has a key twice.
        case repeatedKey(String)
        /// Objects and lists lie in one another beyond this number.
        case depth(Int)
        /// Something follows the document.
        case rest
        /// What a reader finds wrong with a value.
        case meaning(String)
    }

    /// A step from the document towards a value in it.
    package enum Step: Equatable, Sendable {
        /// To a member of an object.
        case key(String)
        /// To an element of a list.
        case element(Int)
    }

    /// What is wrong.
    package let problem: Problem
    /// The way to the value that is read.
    package let steps: [Step]
    /// Whether a key in it is read.
    package let isInKey: Bool
    /// The byte where reading stopped.
    package let byte: Int
    /// Whether that is the end of the text.
    package let isAtEnd: Bool

    /// The keys and positions in lists that lead to what is read, as `annotations[3].iscrowd`.
    package var place: String { steps.place }

    /// What is wrong, as readers say it that have no words of their own.
    package var description: String {
        switch problem {
        case .sign, .separator, .key, .value, .number, .digit:
            if isAtEnd { return "the file ends too early" }
        default: break
        }
        return switch problem {
        case .sign(let sign): "\(sign) is expected"
        case .separator(let close): "a comma or \(close) is expected"
        case .key: "\" is expected"
        case .value: "a value is expected"
        case .number, .digit, .leadingZero: "a number is expected"
        case .unclosedString: "a string does not end"
        case .controlCharacter: "a string holds a control character"
        case .encoding: "a string is not UTF-8"
        case .unknownEscape: "a string holds an unknown escape"
        case .incompleteEscape: "a \\u needs four digits"
        case .halfPair: "a \\u is half of a pair"
        case .repeatedKey: "the key comes for the second time"
        case .depth(let levels): "nested deeper than \(levels) levels"
        case .rest: "the end is expected"
        case .meaning(let text): text
        }
    }
}

extension [JSONFault.Step] {
    /// The steps as one text, long keys shortened.
    var place: String {
        reduce(into: "") { text, step in
            switch step {
            case .key(let key): text += (text.isEmpty ? "" : ".") + key.prefix(60)
            case .element(let index): text += "[\(index)]"
            }
        }
    }
}
