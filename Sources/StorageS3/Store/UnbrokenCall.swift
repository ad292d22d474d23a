/// Does something to its end also when the task that waits for it is cancelled: others wait for the same.
func unbroken<Answer: Sendable>(_ body: @escaping @Sendable () async -> Answer) async -> Answer {
    await Task { await body() }.value
}
