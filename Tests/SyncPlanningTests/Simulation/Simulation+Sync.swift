import Model
import SyncPlanning

extension Simulation {
    /// One device scans, plans and carries out its plan, all of it or as far as the chaos lets it.
    /// - Returns: Whether there was nothing to do.
    @discardableResult mutating func sync(_ index: Int, chaos: Chaos?) -> Bool {
        if chaos?.pulls ?? true { devices[index].remote = server.view }
        let plan = devices[index].plan()
        story.tell("\(devices[index].name) \(chaos.map { "\($0)" } ?? "calm") \(plan.summary)")
        count(plan, on: index)
        devices[index].adopt(plan.identities)
        if chaos?.sendsFirst == true { send(plan.remote, from: index, chaos: chaos) }
        guard performSteps(of: plan, on: index, chaos: chaos) else { return false }
        if chaos?.sendsFirst != true { send(plan.remote, from: index, chaos: chaos) }
        return plan.isEmpty
    }

    /// - Returns: Whether the device is still running.
    private mutating func performSteps(of plan: Plan, on index: Int, chaos: Chaos?) -> Bool {
        var undone: [NodeID: Int] = [:]
        for action in plan.local { undone[action.node, default: 0] += 1 }
        var hasCrashed = false
        for (number, action) in plan.local.enumerated() {
            if chaos?.crash == number {
                hasCrashed = true
                tally[.crash, default: 0] += 1
                break
            }
            if let chaos, roll(chaos.races) { edit(index) }
            if let chaos, roll(chaos.skips) { continue }
            let isLast = chaos?.crash == number + 1
            let noted = !isLast || chaos?.notesLast == true
            do {
                try devices[index].perform(action, noted: noted)
                if noted { undone[action.node, default: 0] -= 1 }
            } catch {
                tally[.failedStep, default: 0] += 1
                story.tell("\(devices[index].name) \(error) at \(action)")
                if chaos == nil { failures.append("\(devices[index].name): \(error) at \(action)") }
            }
        }
        for settlement in plan.settled where undone[settlement.node, default: 0] == 0 {
            devices[index].synced[settlement.node] = settlement.record
        }
        return !hasCrashed
    }

    private mutating func send(_ groups: [[NodeChange]], from index: Int, chaos: Chaos?) {
        var rest = groups[...]
        while !rest.isEmpty {
            let count = chaos == nil ? rest.count : Int.random(in: 1...rest.count, using: &generator)
            let batch = rest.prefix(count).flatMap { $0 }
            rest = rest.dropFirst(count)
            switch server.commit(batch) {
            case .success(let revision):
                if chaos?.losesAnswer == true {
                    tally[.lostAnswer, default: 0] += 1
                    return
                }
                devices[index].settle(batch, at: revision)
            case .failure(let refusal):
                tally[.refusal, default: 0] += 1
                story.tell("\(devices[index].name) refused: \(refusal)")
                if chaos == nil { failures.append("\(devices[index].name) refused: \(refusal)") }
                return
            }
        }
    }

    private mutating func count(_ plan: Plan, on index: Int) {
        func add(_ occasion: Occasion, _ number: Int) { tally[occasion, default: 0] += number }
        let device = devices[index]
        add(.conflict, plan.conflicts.count)
        let copies = plan.identities.filter { device.remote[$0.new] == nil }.count
        add(.copyOfBytes, copies)
        add(.adoption, plan.identities.count - copies)
        add(.indivisibleGroup, plan.remote.filter { $0.count > 1 }.count)
        for change in plan.remote.joined() {
            add(.remoteRemoval, change.state == nil ? 1 : 0)
            let isGone = device.remote[change.node] != nil && device.remote[change.node]?.state == nil
            add(.restoration, isGone ? 1 : 0)
        }
        for action in plan.local { count(action, on: device, add) }
        let busy = Set(plan.local.map(\.node))
        add(.heldBack, busy.filter { device.remote[$0] == nil }.count)
    }

    private func count(_ action: LocalAction, on device: SimulatedDevice, _ add: (Occasion, Int) -> Void) {
        switch (action.step, action.before) {
        case (.park, _): add(.parking, 1)
        case (.move(let place), let before):
            if case .parked = before { add(.unparking, 1) }
            if before?.state?.payload.isFolder == true { add(.folderMove, 1) }
            if place == device.synced.record(of: action.node)?.state.placement { add(.revertedMove, 1) }
        case (.placeFile, .some): add(.replacement, 1)
        case (.remove, _): add(.localRemoval, 1)
        case (.setAttributes, _): add(.attributes, 1)
        default: break
        }
    }

    private mutating func roll(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }
}

extension SimulatedDevice {
    /// Notes that the server took changes.
    mutating func settle(_ changes: [NodeChange], at revision: Revision) {
        for change in changes {
            remote[change.node] = RemoteNode(revision: revision, state: change.state)
            synced[change.node] = change.state.map { NodeRecord(node: change.node, revision: revision, state: $0) }
        }
    }
}

extension Plan {
    /// The plan, for whoever looks into a failure.
    var summary: String {
        """
        identities \(identities.map { "\($0.old.short)->\($0.new.short)" })
            local \(local.map { "\($0.node.short) \($0.step.summary)" })
            remote \(remote.map { $0.map { "\($0.node.short)@\($0.base): \($0.state?.summary ?? "gone")" } })
            settled \(settled.map { "\($0.node.short): \($0.record?.state.summary ?? "gone")" })
        """
    }
}

extension NodeID {
    /// The last digits.
    var short: String { String(hex.suffix(4)) }
}

extension NodeState {
    /// The state in few words.
    var summary: String {
        switch payload {
        case .folder: "\(parent.short)/\(name) folder"
        case .file(let content): "\(parent.short)/\(name) \(content.size)"
        case .symlink(let target): "\(parent.short)/\(name) -> \(target)"
        }
    }
}

extension LocalAction.Step {
    /// The step in few words.
    var summary: String {
        switch self {
        case .makeFolder(let state), .placeFile(let state), .placeSymlink(let state): "make \(state.summary)"
        case .move(let place): "move \(place.parent.short)/\(place.name)"
        case .park: "park"
        case .setAttributes(let mode, let modified): "set \(mode) \(modified.nanoseconds)"
        case .remove: "remove"
        }
    }
}
