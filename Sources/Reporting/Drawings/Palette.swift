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
        switch op {
        case .separable3x3, .separable5x5: "#dcebfa"
        case .atrous3x3, .atrous5x5: "#fde7d3"
        case .averagePool3x3, .maxPool3x3: "#dff3e1"
        case .skip: "#efe6f7"
        case .none: "#ffffff"
        }
    }

    static func label(_ op: SearchSpace.Operator) -> String {
        switch op {
        case .separable3x3: "sep 3×3"
        case .separable5x5: "sep 5×5"
        case .atrous3x3: "atr 3×3"
        case .atrous5x5: "atr 5×5"
        case .averagePool3x3: "avg 3×3"
        case .maxPool3x3: "max 3×3"
        case .skip: "skip"
        case .none: "none"
        }
    }
}
