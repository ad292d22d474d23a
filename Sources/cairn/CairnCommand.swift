import ArgumentParser

/// The client's command line: composition only, the work is in SyncClient.
@main
struct CairnCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cairn",
        abstract: "Keeps folders of this machine in sync with a Cairn server.",
        discussion: """
            Begin with three commands:

              cairn login https://cloud.example.org --account ada
              cairn sync ~/Documents
              cairn watch

            'sync' links the folder at its first use, then makes both sides one and ends; 'watch' keeps every linked \
            folder in sync until it is stopped. Nothing is ever overwritten unseen: when two devices change one \
            file, both versions stay, one of them under a name that says "conflicted copy".

            EXIT CODES
              0   done; for 'sync': in sync
              1   some files wait or have problems, or you have to decide: 'cairn status' says what; for 'rewind', 'undo' and
                  'restore': some files were left as they are
              64  the command line is wrong
              65  data on the server is damaged
              66  there is no such file or folder on the server, or that version is not kept
              69  the server can't be reached or does not serve now
              73  a file or folder can't be created, here or on the server: the name is taken, the disk is full
              74  a local file can't be read or written
              75  not now, try again: another cairn works on the folder, or the server is full
              76  the server does not speak the protocol as expected
              77  not logged in, wrong password, or the device was revoked

            FILES
              --home or CAIRN_HOME names one folder for all that the client keeps, so that one machine can play \
            several devices. Else credentials are in ~/.config/cairn and everything else in ~/.local/state/cairn \
            (XDG_CONFIG_HOME and XDG_STATE_HOME are followed).
            """,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(
                name: "Account", subcommands: [LoginCommand.self, LogoutCommand.self, DevicesCommand.self]),
            CommandGroup(
                name: "Folders in sync",
                subcommands: [
                    SyncCommand.self, WatchCommand.self, StatusCommand.self, StatsCommand.self, UnlinkCommand.self,
                ]),
            CommandGroup(
                name: "Single files on the server",
                subcommands: [
                    PutCommand.self, GetCommand.self, ListCommand.self, RemoveCommand.self, MoveCommand.self,
                    MakeFolderCommand.self,
                ]),
            CommandGroup(
                name: "Earlier versions",
                subcommands: [
                    HistoryCommand.self, RestoreCommand.self, PinCommand.self, UnpinCommand.self, RewindCommand.self,
                    UndoCommand.self,
                ]),
        ])
}
