/// What charts over the epochs share: size, axes with their names, and the figure around them.
struct ChartFrame {
    let width = 400.0
    let height = 250.0
    let left = 66.0
    let right = 380.0
    let top = 10.0
    let bottom = 206.0

    /// Where an epoch is.
    func x(_ epoch: Int, of epochs: ClosedRange<Int>) -> Double {
        let span = epochs.upperBound - epochs.lowerBound
        // A single epoch is in the middle.
        guard span > 0 else { return (left + right) / 2 }
        return left + (right - left) * Double(epoch - epochs.lowerBound) / Double(span)
    }

    /// Where a value is, as a share of the axis.
    func y(_ share: Double) -> Double { bottom - (bottom - top) * share }

    /// A line of the grid with its value.
    func horizontal(at y: Double, label: String) -> String {
        "<path class=\"grid\" d=\"M\(number(left)) \(number(y))H\(number(right))\"/>"
            + "<text x=\"\(number(left - 6))\" y=\"\(number(y + 4))\" class=\"end\">\(label)</text>"
    }

    /// Both axes' names, and whole epochs, counted from 1.
    func axes(epochs: ClosedRange<Int>, values: String) -> String {
        let marks = ChartFrame.ticks(epochs).map { epoch in
            let place = number(x(epoch, of: epochs))
            return "<path class=\"grid\" d=\"M\(place) \(number(bottom))v4\"/>"
                + "<text x=\"\(place)\" y=\"\(number(bottom + 18))\" class=\"middle\">\(epoch + 1)</text>"
        }
        let (middle, centre) = (number((left + right) / 2), number((top + bottom) / 2))
        return marks.joined()
            + "<text x=\"\(middle)\" y=\"\(number(height - 6))\" class=\"middle axis\">epoch</text>"
            + "<text x=\"12\" y=\"\(centre)\" class=\"middle axis\" transform=\"rotate(-90 12 \(centre))\">"
            + "\(escaped(values))</text>"
    }

    /// The chart with a caption above it; `label` is for readers who cannot see it.
    func figure(caption: String, label: String, parts: [String]) -> String {
        """
        <figure class="card"><figcaption>\(caption)</figcaption>
        <svg viewBox="0 0 \(number(width)) \(number(height))" role="img" aria-label="\(escaped(label))">
        \(parts.joined(separator: "\n"))
        </svg></figure>
        """
    }

    /// Up to seven epochs for the axis: the first, the last, and between them those that are round when counted from 1.
    static func ticks(_ range: ClosedRange<Int>) -> [Int] {
        let (first, last) = (range.lowerBound, range.upperBound)
        var power = 1
        while power * 10 * 5 < range.count { power *= 10 }
        let step = [1, 2, 5, 10].map { $0 * power }.first { $0 * 5 >= range.count } ?? power * 10
        let round = stride(from: (first / step + 1) * step - 1, to: last, by: step)
        // A mark that would touch the first or the last one is left out.
        let marks = round.filter { ($0 - first) * 5 >= step * 3 && (last - $0) * 5 >= step * 3 }
        return first == last ? [first] : [first] + marks + [last]
    }
}
