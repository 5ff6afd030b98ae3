import SearchSpace

extension RunReport {
    /// The architecture at a number of epochs, the last one shown, with a slider between them; nil without any.
    var architecture: String? {
        if let drawing = genotype.map({ drawGenotype($0) }) ?? decoder.map({ drawDecoder($0) }) {
            return "<div class=\"card drawing scroll\" tabindex=\"0\">\(drawing)</div>"
        }
        let frames = framedRecords.compactMap { record in RunReport.frame(of: record).map { (record.epoch, $0) } }
        guard let last = frames.last else { return nil }
        let templates = frames.map { "<template data-epoch=\"\($0 + 1)\">\($1)</template>" }
        return """
            <div class="slider"><label for="epoch">epoch <output id="epoch-name">\(last.0 + 1)</output></label>
            <input id="epoch" type="range" min="0" max="\(frames.count - 1)" value="\(frames.count - 1)" step="1">
            </div>
            <div id="frame" class="card drawing scroll" tabindex="0" aria-live="polite">\(last.1)</div>
            \(templates.joined(separator: "\n"))
            """
    }

    /// At most 24 records, evenly over the epochs and with the last one: each is a drawing of its own.
    private var framedRecords: [RunRecord] { evenly(records, limit: 24) }

    private static func frame(of record: RunRecord) -> String? {
        guard let genotype = record.genotype else { return nil }
        return drawGenotype(genotype, arrows: record.beta, alpha: record.alpha, gates: record.gates)
    }
}

extension RunRecord {
    /// The strongest discrete network at this record; nil where its numbers fit no space.
    package var genotype: Genotype? {
        guard let path, let alpha, beta != nil, let space = SearchedSpace(of: self) else { return nil }
        var genotype = Genotype(path: path, cell: decodeCell(alpha: alpha, space: space.cell), stem: stem)
        guard (try? genotype.validate()) != nil else { return nil }
        if let gates, gates.count == space.network.longSkipGates.count {
            genotype.skips = space.network.longSkips(along: path, gates: gates)
        }
        return genotype
    }
}
