import SearchSpace

/// The colours of the drawings; all of them stand on the light background, whatever the page behind it.
enum Palette {
    static let background = "#ffffff"
    static let text = "#1f2430"
    static let quiet = "#667085"
    static let faint = "#c8ceda"
    static let stem = "#b4bbc8"
    static let path = "#d9580d"
    static let pathEdge = "#a8430a"
    static let longSkip = "#00805c"
    static let halo = "#fcd3ae"
    static let group = "#f4f6f9"

    /// Pale to deep blue for a probability of 0 to 1.
    static func probability(_ value: Double) -> String {
        let share = min(max(value, 0), 1).squareRoot()
        let (low, high) = ([216.0, 222, 232], [18.0, 70, 150])
        let digits = zip(low, high).map { start, end -> String in
            let part = String(Int(clamping: (start + (end - start) * share).rounded()), radix: 16)
            return part.count == 1 ? "0" + part : part
        }
        return "#" + digits.joined()
    }

    /// The lines that leave an input or a block of the cell: hues that differ for every colour vision.
    static func line(_ index: Int) -> String {
        let colours = ["#0072b2", "#c65200", "#00805c", "#a8458a", "#8a6d00", "#2b9fd9", "#1f2430", "#7b8594"]
        return colours[index % colours.count]
    }

    static func fill(_ op: SearchSpace.Operator) -> String {
        switch op.form {
        case .separable: "#dcebfa"
        case .atrous: "#fde7d3"
        case .pool: "#dff3e1"
        case .skip: "#efe6f7"
        case .none: "#ffffff"
        }
    }

    static func label(_ op: SearchSpace.Operator) -> String {
        switch op.form {
        case .separable(let kernel): "sep \(kernel)×\(kernel)"
        case .atrous(let kernel, _): "atr \(kernel)×\(kernel)"
        case .pool(.average, let kernel): "avg \(kernel)×\(kernel)"
        case .pool(.maximum, let kernel): "max \(kernel)×\(kernel)"
        case .skip: "skip"
        case .none: "none"
        }
    }
}
