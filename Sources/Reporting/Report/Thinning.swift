/// A value at an epoch, counted from 0.
typealias CurvePoint = (epoch: Int, value: Double)

/// At most so many points of a curve: the first, the last, and from each stretch between them the least and the largest
/// value, so that no peak is lost.
func thinned(_ points: [CurvePoint], to limit: Int) -> [CurvePoint] {
    guard points.count > limit, limit >= 4, let last = points.last else { return points }
    let middle = points.dropFirst().dropLast()
    let stretches = (limit - 2) / 2
    var result = [points[0]]
    for stretch in 0..<stretches {
        let start = middle.startIndex + middle.count * stretch / stretches
        let end = middle.startIndex + middle.count * (stretch + 1) / stretches
        let part = start..<end
        guard let low = part.min(by: { middle[$0].value < middle[$1].value }),
            let high = part.max(by: { middle[$0].value < middle[$1].value })
        else { continue }
        result += Set([low, high]).sorted().map { middle[$0] }
    }
    return result + [last]
}

/// At most so many elements, evenly over all of them and with the first and the last one.
func evenly<Element>(_ elements: [Element], limit: Int) -> [Element] {
    guard elements.count > limit, limit > 1 else { return elements }
    return (0..<limit).map { elements[$0 * (elements.count - 1) / (limit - 1)] }
}
