import Foundation
import Reporting
import SearchSpace
import TestSupport
import Testing

/// The page in a real browser, where one is installed.
@Suite("Report in a browser", .enabled(if: Browser.isAvailable, "there is no chromium in PATH"))
struct ReportBrowserTests {
    @Test("Nothing is wider than the page, and the slider shows another epoch", arguments: [390, 1280])
    func slider(width: Int) throws {
        var report = RunReport(kind: "search", name: "a-rather-long-name-of-a-run", records: .search(30), epochs: 30)
        report.configuration = String(repeating: "a long line of the configuration ", count: 20)
        report.comparison = [.init(name: "stacked-hourglass", parameters: 1, multiplyAdds: 1)]
        report.classes = (0..<60).map { .init(name: "a class of number \($0)", colour: "#0072b2") }
        report.samples = Picture.png
        var measurement = RunReport.Measurement(title: "validation of the best epoch")
        measurement.iou = .init(repeating: 0.5, count: 60)
        measurement.confusion = .init(repeating: .init(repeating: 7, count: 60), count: 60)
        measurement.worst = .init(
            repeating: .init(caption: String(repeating: "a/folder", count: 30), data: Picture.png), count: 3)
        report.measurements = .init(repeating: measurement, count: 3)
        report.environment = [(name: "command", value: String(repeating: "/a/path", count: 40))]
        let told = """
            <script>
            const before = document.getElementById("frame").innerHTML;
            slider.value = 0;
            slider.dispatchEvent(new Event("input"));
            const changed = before !== document.getElementById("frame").innerHTML;
            const epoch = document.getElementById("epoch-name").textContent;
            const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
            parent.postMessage(`epoch ${epoch}, changed ${changed}, ${innerWidth} wide, ${over} over`, "*");
            </script></body>
            """
        let folder = try TemporaryFolder()
        try Data(report.html().replacing("</body>", with: told).utf8)
            .write(to: URL(fileURLWithPath: folder.file("report.html")))
        // A frame, since a browser's own window is not as narrow as a telephone.
        let outer = """
            <iframe src="report.html" width="\(width)" height="900" style="border: 0"></iframe>
            <script>onmessage = event => { document.body.textContent = event.data; };</script>
            """
        try Data(outer.utf8).write(to: URL(fileURLWithPath: folder.file("outer.html")))
        let page = try Browser.contents(of: folder.file("outer.html"))
        #expect(page.contains("epoch 1, changed true, \(width) wide, 0 over"), "\(page.prefix(400))")
    }
}

/// A headless Chromium.
private enum Browser {
    private static let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .flatMap { folder in ["chromium", "chromium-browser", "google-chrome"].map { "\(folder)/\($0)" } }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    static var isAvailable: Bool { path != nil }

    /// The page after its scripts have run.
    static func contents(of file: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(path))
        process.arguments = [
            "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000", "--virtual-time-budget=5000",
            "--dump-dom", "file://\(file)",
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text
    }
}
