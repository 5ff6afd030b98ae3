import Foundation

/// Columns and rows of the terminal that a descriptor leads to; `COLUMNS`, `LINES` and 80 by 24 where it tells nothing.
func terminalSize(of descriptor: Int32) -> (columns: Int, rows: Int) {
    var size = winsize()
    let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0
    func side(_ own: UInt16, _ variable: String, _ usual: Int) -> Int {
        if isKnown, own > 0 { return Int(own) }
        let typed = ProcessInfo.processInfo.environment[variable].flatMap { Int($0) } ?? 0
        return typed > 0 ? typed : usual
    }
    return (side(size.ws_col, "COLUMNS", 80), side(size.ws_row, "LINES", 24))
}
