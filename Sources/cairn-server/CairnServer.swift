import ArgumentParser

/// The command `cairn-server`.
@main
struct CairnServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cairn-server",
        abstract: "Keeps files for devices that stay in sync.",
        discussion: """
            A first start, from nothing:

              printf '%s\\n' 'a long password' | cairn-server account add ada --password-stdin --data /srv/cairn
              cairn-server run --data /srv/cairn

            The data directory holds everything: cairn.db (accounts, trees, history), packs (the bytes, encrypted)
            and keyring (the keys). Without the keyring the packs can't be read by anybody: keep a copy of it apart
            from the data. It does not change, but for 'cairn-server key rotate'.

            Exit codes: 0 success; 64 wrong usage; 69 a service is unavailable (the address is taken, another server
            uses the data); 73 a file can't be created; 74 an input or output error; 77 permission denied;
            78 the configuration or the data directory is not usable. 'fsck' and 'export' have further ones of their own.
            """,
        version: "0.1.0",
        subcommands: [
            Run.self, Notify.self, Account.self, Device.self, Key.self, Region.self, RetentionCommand.self, Usage.self,
            Collect.self, Archive.self, Migrate.self, Fsck.self, Backup.self, Restore.self,
            Export.self,
        ])
}
