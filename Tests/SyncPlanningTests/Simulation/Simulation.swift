import Model
import SyncPlanning
import TestSupport

/// Three devices and a server, all driven by one seed.
struct Simulation {
    var server = SimulatedServer()
    var devices: [SimulatedDevice]
    var user: SimulatedUser
    var provenance = Provenance()
    var generator: SeededGenerator
    /// What went wrong, in words.
    var failures: [String] = []
    /// How often the plans met what.
    var tally: [Occasion: Int] = [:]
    /// What happened, for whoever looks into a failure.
    let story: Story

    init(seed: UInt64, isLogging: Bool = false, habit: SimulatedUser.Habit? = nil) {
        generator = SeededGenerator(seed: seed)
        user = SimulatedUser(seed: generator.next(), habit: habit)
        devices = []
        for name in ["A", "B", "C"] { devices.append(SimulatedDevice(name: name, seed: generator.next())) }
        story = Story(isTold: isLogging)
    }

    /// Someone does something at a device.
    mutating func edit(_ index: Int) { user.edit(&devices[index].disk, &provenance) }

    /// Things happen in any order, plans are cut short, answers get lost.
    mutating func runWild(steps: Int) {
        for _ in 0..<Int.random(in: 0..<20, using: &generator) { edit(0) }
        quiesce()
        let patience = Int.random(in: 1...6, using: &generator)
        for _ in 0..<steps {
            let index = Int.random(in: 0..<devices.count, using: &generator)
            if Int.random(in: 0...patience, using: &generator) > 0 {
                for _ in 0..<Int.random(in: 1...4, using: &generator) { edit(index) }
            } else {
                sync(index, chaos: Chaos(using: &generator))
            }
            story.tell("\(devices[index].name) \(devices[index].disk.picture)")
        }
    }

    /// Folders that all have are moved by all at once, twice, and plans are cut short.
    mutating func cross() {
        while devices[0].disk.objects.count < 6 { edit(0) }
        quiesce()
        for _ in 0..<2 {
            for index in devices.indices { for _ in 0..<3 { edit(index) } }
            for index in devices.indices { sync(index, chaos: Chaos(using: &generator)) }
        }
    }

    /// Everybody syncs until nobody has anything to do.
    mutating func quiesce(rounds: Int = 8) {
        for round in 0..<rounds {
            var isQuiet = true
            for index in devices.indices {
                let wasQuiet = sync(index, chaos: nil)
                isQuiet = isQuiet && wasQuiet
            }
            story.tell("round \(round): quiet \(isQuiet)")
            if isQuiet { return }
        }
        failures.append("not quiet after \(rounds) rounds")
    }

    /// Checks what must hold when all is quiet.
    mutating func check() {
        let truth = server.picture
        for device in devices {
            if device.disk.picture != truth {
                failures.append("\(device.name) has \(device.disk.picture), the server \(truth)")
            }
            if device.synced.nodes != server.nodes { failures.append("\(device.name) settled something else") }
        }
        let kept = Set(server.nodes.values.map(\.state.payload))
        for lost in provenance.precious where !kept.contains(lost) { failures.append("\(lost) is lost") }
    }
}

/// What a history may meet; one that never does proves little.
enum Occasion: Hashable, CaseIterable {
    case conflict, copyOfBytes, adoption, parking, unparking, indivisibleGroup, restoration, refusal, failedStep, crash
    case lostAnswer, replacement, localRemoval, remoteRemoval, attributes, folderMove, revertedMove, heldBack
}

/// How a sync is disturbed.
struct Chaos {
    /// Whether the device asks the server for news first.
    var pulls: Bool
    /// Whether the changes are sent before the steps on disk are done.
    var sendsFirst: Bool
    /// After how many steps the device crashes; nil for never.
    var crash: Int?
    /// Whether the last step before the crash is noted.
    var notesLast: Bool
    /// The chance in a hundred that a step fails for no reason.
    var skips: Int
    /// The chance in a hundred that someone edits the disk between two steps.
    var races: Int
    /// Whether the answer to a commit gets lost.
    var losesAnswer: Bool

    init(using generator: inout SeededGenerator) {
        func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }
        pulls = chance(75)
        sendsFirst = chance(50)
        crash = chance(30) ? Int.random(in: 0..<6, using: &generator) : nil
        notesLast = chance(50)
        skips = chance(25) ? 30 : 0
        races = chance(30) ? 30 : 0
        losesAnswer = chance(15)
    }
}

/// What happened, line by line; kept only when somebody wants to read it.
final class Story {
    private(set) var lines: [String] = []
    private let isTold: Bool

    init(isTold: Bool) { self.isTold = isTold }

    func tell(_ line: @autoclosure () -> String) { if isTold { lines.append(line()) } }
}
