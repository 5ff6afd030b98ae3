extension Mask {
    /// How many connected parts each label has; pixels that touch at a corner are connected.
    ///
    /// - Parameter classes: Labels 0 up to this are counted, others are passed over.
    /// - Returns: The number of parts of each label.
    public func connectedParts(classes: Int) -> [Int] {
        var parts = [Int](repeating: 0, count: classes)
        // Union-find over pixels: each points to one before it, the first of a part to itself.
        var parents = [Int](repeating: 0, count: labels.count)
        func root(_ pixel: Int) -> Int {
            var pixel = pixel
            while parents[pixel] != pixel {
                parents[pixel] = parents[parents[pixel]]
                pixel = parents[pixel]
            }
            return pixel
        }
        for row in 0..<height {
            for column in 0..<width {
                let pixel = row * width + column
                parents[pixel] = pixel
                let label = Int(labels[pixel])
                guard label < classes else { continue }
                parts[label] += 1
                // To the left, and the three above: all that were seen before and touch this one.
                let neighbours = [
                    column > 0 ? pixel - 1 : -1, row > 0 && column > 0 ? pixel - width - 1 : -1,
                    row > 0 ? pixel - width : -1, row > 0 && column + 1 < width ? pixel - width + 1 : -1,
                ]
                for other in neighbours where other >= 0 && labels[other] == labels[pixel] {
                    let (a, b) = (root(other), root(pixel))
                    guard a != b else { continue }
                    parents[max(a, b)] = min(a, b)
                    parts[label] -= 1
                }
            }
        }
        return parts
    }
}
