import ArgumentParser

@main
struct AutoDeepLab: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "autodeeplab")
}
