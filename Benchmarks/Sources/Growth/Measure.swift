/// What is measured of a step.
enum Measure: String, CaseIterable, Codable {
    case seconds, memory

    func value(_ measurement: Measurement) -> Double {
        switch self {
        case .seconds: measurement.seconds
        case .memory: Double(measurement.memory) / 1e6
        }
    }

    /// What stands beside the axis.
    func axis(_ quantity: Quantity) -> String {
        let place = quantity == .processes ? "of a process" : "of the process"
        return switch self {
        case .seconds: "seconds a step"
        case .memory: "megabytes \(place) at most"
        }
    }

    /// Of the files' names.
    var suffix: String { self == .seconds ? "" : "-memory" }
}
