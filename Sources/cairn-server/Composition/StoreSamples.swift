import HTTPAPI
import Storage

extension StorageStatistics {
    /// The counts as `/metrics` shows them.
    var samples: [Sample] {
        var samples = [
            Sample("cairn_storage_appended_records_total", .counter, Double(appendedRecords)),
            Sample("cairn_storage_appended_bytes_total", .counter, Double(appendedBytes)),
            Sample("cairn_storage_group_commits_total", .counter, Double(groups)),
            Sample("cairn_storage_failed_group_commits_total", .counter, Double(failedGroups)),
            Sample("cairn_storage_refused_appends_total", .counter, Double(refusedAppends)),
            Sample("cairn_storage_packs_created_total", .counter, Double(packsCreated)),
            Sample("cairn_storage_read_records_total", .counter, Double(readRecords)),
            Sample("cairn_storage_read_bytes_total", .counter, Double(readBytes)),
            Sample("cairn_storage_damaged_records_total", .counter, Double(damagedRecords)),
            Sample("cairn_storage_repaired_records_total", .counter, Double(repairedRecords)),
            Sample("cairn_storage_repaired_packs_total", .counter, Double(repairedPacks)),
            Sample("cairn_storage_pending_repairs", .gauge, Double(pendingRepairs)),
            Sample("cairn_storage_waiting_bytes", .gauge, Double(waitingBytes)),
        ]
        for (region, failures) in regionFailures {
            samples.append(
                Sample("cairn_storage_region_failures_total", .counter, labels: ["region": region], Double(failures)))
        }
        return samples
    }
}
