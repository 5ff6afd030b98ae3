import ArgumentParser
import Deployment
import Experiments

/// `doctor`: what the program finds on this machine.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Show versions, devices, threads and memory, and whether a data set can be read.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var shared: SharedOptions

    func run() throws {
        let report = DoctorReport(examining: try options.resolve(shared))
        if shared.json {
            try printJSON(report)
        } else {
            printTable(report)
        }
        if let problem = report.data?.problem {
            writeError(problem)
            throw ExitCode(ExitStatus.badData.rawValue)
        }
    }

    private func printTable(_ report: DoctorReport) {
        let environment = report.environment
        let available = report.availableMemory.map { ", \(byteCount($0)) free" } ?? ""
        var rows = [
            ("autodeeplab", "\(environment.version), built with Swift \(environment.swift)"),
            ("libtorch", "\(environment.libtorch), \(environment.libtorchPath)"),
            ("system", environment.system),
            ("processor", environment.processor),
            ("threads", "\(environment.threads) of \(environment.cores) cores"),
            ("memory", byteCount(Int(clamping: environment.memory)) + available),
            ("devices", "\(report.devices.joined(separator: ", ")); would use \(environment.device)"),
        ]
        #if os(Linux)
            rows.append(("cuda", report.cudaProblem ?? "can be used"))
            if report.cudaProblem == nil { rows.append(("nccl", report.ncclProblem ?? "can be used")) }
        #endif
        if let data = report.data {
            let counts = data.images.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            rows.append(
                (
                    "data",
                    data.problem.map { "cannot be used: \($0)" } ?? "\(data.root): \(counts.joined(separator: ", "))"
                ))
        }
        for (name, value) in rows { print(name + String(repeating: " ", count: 13 - name.count) + value) }
    }
}
