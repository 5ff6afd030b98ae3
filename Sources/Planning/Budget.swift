import Configurations

/// How long a run may take, as a user writes it: `30min`, `2h`, `90s`, `1d`, `overnight`.
public struct Budget: Equatable, Sendable {
    /// The time in seconds.
    public let seconds: Double

    /// The shortest and the longest.
    public static let range = 60.0...14 * 86_400

    /// A time in seconds.
    ///
    /// - Throws: `ConfigurationError` where it is too short or too long.
    public init(seconds: Double) throws(ConfigurationError) {
        guard Self.range.contains(seconds) else {
            throw ConfigurationError(.outOfRange, "budget: from 1min to 14d, not \(Budget.text(seconds))")
        }
        self.seconds = seconds
    }

    /// Reads a time.
    ///
    /// - Throws: `ConfigurationError` where it is none, or too short or too long.
    public init(_ text: String) throws(ConfigurationError) {
        let text = text.lowercased()
        if text == "overnight" {
            try self.init(seconds: 8 * 3_600)
            return
        }
        let units: [String: Double] = [
            "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3_600, "hour": 3_600, "hours": 3_600, "d": 86_400, "day": 86_400,
            "days": 86_400, "w": 604_800, "week": 604_800, "weeks": 604_800,
        ]
        guard let seconds = quantity(text, in: units) else {
            throw ConfigurationError(
                .wrongType, "budget: '\(text.prefix(40))' is no time; write it as 30min, 2h or overnight")
        }
        try self.init(seconds: seconds)
    }

    /// The time in words.
    public var description: String { Budget.text(seconds) }

    /// Seconds as people say them: `45 s`, `12 min`, `2 h 30 min`.
    package static func text(_ seconds: Double) -> String {
        let whole = Int(clamping: seconds.rounded())
        if whole < 120 { return "\(whole) s" }
        let minutes = (whole + 30) / 60
        if minutes < 120 { return "\(minutes) min" }
        let (hours, rest) = (minutes / 60, minutes % 60)
        if hours < 48 { return rest == 0 ? "\(hours) h" : "\(hours) h \(rest) min" }
        return "\(hours / 24) d" + (hours % 24 == 0 ? "" : " \(hours % 24) h")
    }
}

/// A number with a unit behind it, as `30min`, in terms of what the units are worth; nil for anything else.
package func quantity(_ text: String, in units: [String: Double]) -> Double? {
    let text = text.lowercased()
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text.dropFirst(number.count).drop { $0 == " " }
    guard let value = Double(number), let factor = units[String(unit)] else { return nil }
    return value * factor
}
