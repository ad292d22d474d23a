import Foundation
import TestSupport
import Testing

@Suite("Running scripts")
struct RunnerTests {
    /// Runs a script with stand-ins for our programs, which are scripts of the shell.
    private func run(
        _ text: String, programs: [String: String] = [:], limit: Duration = .seconds(20)
    ) async throws {
        let folder = TemporaryDirectory()
        for (name, body) in programs {
            // Another process writes them: a file that this one had open could still be open in a child that another
            // test is just starting, and would not run ("text file busy").
            let write = #"printf '%s' "$1" > "$2" && chmod 755 "$2""#
            let launch = ChildProcess.Launch(
                program: "/bin/sh",
                arguments: ["-c", write, "sh", "#!/bin/sh\n" + body, folder.appending(name)],
                environment: [:], folder: folder.path)
            let outcome = try await ChildProcess(launch, log: folder.appending(name)).wait(atMost: .seconds(20))
            #expect(outcome == .exited(0))
        }
        try await ScriptRunner(Script(name: "s", text: text), binaries: folder.path, limit: limit).run()
    }

    /// The line at which a script fails, and why.
    private func failure(
        _ text: String, programs: [String: String] = [:], limit: Duration = .seconds(20)
    ) async -> ScriptError? {
        do {
            try await run(text, programs: programs, limit: limit)
            return nil
        } catch {
            return error as? ScriptError
        }
    }

    @Test(
        "what holds, passes",
        arguments: [
            "exec echo hello\nstdout ^hello$\n! stdout bye\n! stderr .",
            "! exec sh -c 'echo no >&2; exit 3'\nexitcode 3\nstderr '^no$'",
            "exec cat a.txt\nstdout '^second$'\n-- a.txt --\nfirst\nsecond\n",
            "stdin a.txt\nexec cat\nstdout one\nexec cat\n! stdout one\n-- a.txt --\none\n",
            "exec cp a.txt b.txt\ncmp a.txt b.txt\nappend b.txt more\n! cmp a.txt b.txt\n-- a.txt --\none\n",
            "exec mkdir d e\nexec touch d/f e/f\nsame d e\nexec rm e/f\n! same d e\nexec ln -s x e/f\nexec cp -P e/f g",
            "exists a.txt\n! exists b.txt c\nexec ln -s nowhere l\nexists l\n-- a.txt --\n",
            "env A=1\nexec sh -c 'echo $A$HOME'\nstdout ^1/\nenv A=\nexec sh -c 'echo ${A-none}'\nstdout none",
            "exec mkdir d\ncd d\nexec sh -c 'basename \"$PWD\"'\nstdout ^d$\ncd $WORK\nexists d",
            "device one\nexec sh -c 'echo $CAIRN_HOME'\nstdout devices/one$",
            "random a 1000 1\nrandom b 1000 1\nrandom c 1000 2\ncmp a b\n! cmp a c\nexec wc -c a\nstdout ^1000",
            "start b sh -c 'sleep 0.1; echo done > f'\neventually exists f\neventually ! exists g",
            "start b sh -c 'echo ready >&2; exec sleep 60'\nawait b ^ready\nkill b",
            "start b sh -c 'echo last; exit 3'\nended b\nexitcode 3\nstdout ^last$",
            "start b sh -c 'trap \"exit 0\" TERM; echo up; while :; do sleep 0.01; done'\nawait b up\nstop b\nstdout up",
        ])
    func passes(_ text: String) async throws {
        try await run(text)
    }

    @Test(
        "what does not hold, fails at its line",
        arguments: [
            ("exec true\nexec false", 2), ("! exec true", 1), ("! exec sh -c 'kill -9 $$'", 1), ("stdout a", 1),
            ("exec echo a\nstdout b", 2), ("exec echo a\n! stdout a", 2), ("exec true\nexitcode 1", 2),
            ("exec true\n! exitcode 1", 2), ("exists none", 1), ("! exists .", 1), ("cmp a b", 1), ("same a b", 1),
            ("nothing", 1), ("exec no-such-program", 1), ("stop b", 1), ("kill b", 1), ("await b x", 1),
            ("start b true\nawait b x", 2), ("start b sh -c 'exit 1'\neventually exists x", 2), ("exec", 1),
            ("start b sh -c 'exec sleep 60'\nstart b true", 2), ("exec echo $NONE", 1), ("cd", 1), ("env A", 1),
            ("server", 1), ("server stop now", 1), ("wait-ready", 1), ("exec echo a\nstdout '('", 2),
            ("start b sh -c 'kill -9 $$'\nended b", 2), ("ended b", 1), ("random a b c", 1), ("eventually", 1),
            ("! eventually exists a", 1), ("stdin none\nexec cat", 2),
        ])
    func fails(_ text: String, _ line: Int) async {
        #expect(await failure(text, limit: .milliseconds(500))?.line == line)
    }

    @Test("a failure shows what was written last")
    func transcript() async throws {
        let error = try #require(await failure("exec sh -c 'echo seen; echo heard >&2'\nstdout unseen"))
        #expect(error.message.contains("seen\n") && error.message.contains("heard\n"))
    }

    @Test("a command that takes too long is ended, and fails")
    func tooLong() async throws {
        let error = try #require(await failure("exec sleep 60", limit: .milliseconds(100)))
        #expect(error.message.contains("longer than"))
    }

    @Test("nothing that a script started outlives it")
    func noSurvivors() async throws {
        let folder = TemporaryDirectory()
        let mark = folder.appending("pid")
        let error = await failure(
            "start b sh -c 'echo $$ > \(mark); exec sleep 600'\neventually exists \(mark)\nexec false")
        #expect(error?.line == 3)
        let text = try String(contentsOfFile: mark, encoding: .utf8)
        let identifier = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(kill(identifier, 0) == -1)
    }

    /// Says where it listens as the real one does: at the port it was told, or at one of its own.
    private let server = """
        while [ $# -gt 0 ]; do case $1 in --listen) listen=$2;; --data) data=$2;; esac; shift; done
        mkdir -p "$data"
        [ "$listen" = 127.0.0.1:0 ] && listen=127.0.0.1:4711
        echo "$listen" >> "$data/starts"
        trap 'exit 0' TERM
        echo "listening on http://$listen"
        while :; do sleep 0.01; done
        """

    @Test("a server is started, stopped, killed, and keeps its address and data")
    func serverLife() async throws {
        let text = """
            server start
            exec echo $SERVER
            stdout ^http://127.0.0.1:4711$
            server stop
            server start
            server kill
            server start --region a
            exec cat $DATA/starts
            stdout '(127.0.0.1:4711\\n){3}'
            """
        try await run(text, programs: ["cairn-server": server])
    }

    @Test("a server that ends before it listens fails the script")
    func deadServer() async throws {
        let error = await failure(
            "server start", programs: ["cairn-server": "echo broken >&2; exit 1"], limit: .milliseconds(300))
        #expect(error?.line == 1)
        #expect(error?.message.contains("broken") == true)
    }

    @Test("our programs come before those of the machine")
    func precedence() async throws {
        try await run("exec cairn one\nstdout ^ours:one$", programs: ["cairn": "echo ours:$1"])
    }
}
