import CoreMetrics
import Messaging
import Model

extension FilesContext {
    /// Tells the other devices that a namespace has a new head.
    func tellUploaded(_ head: Head, by device: DeviceID) async {
        metrics.commits.increment()
        await bus.publish(
            .changed(ChangeNotice(namespace: head.namespace, revision: head.revision, kind: .uploaded, device: device)))
    }

    /// Tells the other devices that files are on their way.
    func tellPending(_ head: Head, by device: DeviceID) async {
        metrics.pending.increment()
        await bus.publish(
            .changed(ChangeNotice(namespace: head.namespace, revision: head.revision, kind: .pending, device: device)))
    }
}
