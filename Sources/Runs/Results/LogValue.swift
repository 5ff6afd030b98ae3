import Configurations
import Foundation
import JSON

/// A measured value in a log.
package enum LogValue: Equatable, Sendable {
    /// A count.
    case integer(Int)
    /// A measurement; what is not finite is written as null, since JSON has no word for it.
    case number(Double)
    /// A name.
    case text(String)
    /// Several measurements.
    case numbers([Double])

    /// The value as JSON.
    var json: String {
        switch self {
        case .integer(let value): String(value)
        case .number(let value): value.isFinite ? String(value) : "null"
        case .text(let value): jsonText(value)
        case .numbers(let values): "[" + values.map { LogValue.number($0).json }.joined(separator: ", ") + "]"
        }
    }
}

extension LogValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral {
    /// A count.
    package init(integerLiteral value: Int) { self = .integer(value) }
    /// A measurement.
    package init(floatLiteral value: Double) { self = .number(value) }
    /// A name.
    package init(stringLiteral value: String) { self = .text(value) }
}

/// What of a log's values belongs into a table of numbers.
package func numbers(_ values: [(String, LogValue)]) -> [(String, Double)] {
    values.compactMap { name, value in
        switch value {
        case .integer(let integer): (name, Double(integer))
        case .number(let number): (name, number)
        case .text, .numbers: nil
        }
    }
}
