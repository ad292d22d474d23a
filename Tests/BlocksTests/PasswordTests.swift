import Blocks
import TestSupport
import Testing

@Suite("ScryptPassword")
struct PasswordTests {
    private let cheap = ScryptPassword(logCost: 4, blockSize: 1, parallelism: 1)
    private let salt: [UInt8] = Array(0..<16)

    @Test("the stored form is that of the reference")
    func golden() throws {
        let costs = ScryptPassword(logCost: 10, blockSize: 8, parallelism: 2)
        #expect(try costs.hash("pässwörd", salt: salt) == Golden.lines("password.txt")[0])
        #expect(try ScryptPassword.verify("pässwörd", against: Golden.lines("password.txt")[0]))
    }

    @Test("the right password verifies, others do not", arguments: ["", "a", "correct horse", "密码", "with $ and ,"])
    func verify(password: String) throws {
        let stored = try cheap.hash(password, salt: salt)
        #expect(try ScryptPassword.verify(password, against: stored))
        #expect(try !ScryptPassword.verify(password + " ", against: stored))
        #expect(try !ScryptPassword.verify("x" + password, against: stored))
    }

    @Test("the salt and each cost change the hash")
    func inputs() throws {
        var forms: Set<String> = []
        for costs in [(4, 1, 1), (5, 1, 1), (4, 2, 1), (4, 1, 2)] {
            let costs = ScryptPassword(logCost: costs.0, blockSize: costs.1, parallelism: costs.2)
            for salt in [salt, [UInt8](repeating: 0, count: 8)] {
                forms.insert(String(try costs.hash("p", salt: salt).suffix(43)))
            }
        }
        #expect(forms.count == 8)
    }

    @Test("the standard costs need more memory than libcrypto allows unasked, and work")
    func standard() throws {
        let stored = try ScryptPassword.standard.hash("secret", salt: salt)
        #expect(stored.hasPrefix("$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$"))
        #expect(try ScryptPassword.verify("secret", against: stored))
        #expect(ScryptPassword.standard.made(stored))
        #expect(!cheap.made(stored))
    }

    @Test("salts of every length come back", arguments: 8...24)
    func salts(count: Int) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        let stored = try cheap.hash("p", salt: generator.bytes(count))
        #expect(stored.split(separator: "$").suffix(2).allSatisfy { !$0.contains("=") })
        #expect(try ScryptPassword.verify("p", against: stored))
    }

    private static let hash = String(repeating: "A", count: 43)

    @Test(
        "what is no stored form is refused",
        arguments: [
            "", "secret", "$", "$scrypt", "scrypt$ln=4,r=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$\(hash)",
            "$argon2$ln=4,r=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$\(hash)", "$scrypt$ln=4,r=1$AAAAAAAAAAAAAAAAAAAAAA$\(hash)",
            "$scrypt$ln=4,r=1,p=1,x=1$AAAAAAAAAAAAAAAAAAAAAA$\(hash)",
            "$scrypt$ln=21,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$\(hash)",
            "$scrypt$ln=0,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$\(hash)",
            "$scrypt$ln=4,r=33,p=1$AAAAAAAAAAAAAAAAAAAAAA$\(hash)",
            "$scrypt$ln=4,r=1,p=17$AAAAAAAAAAAAAAAAAAAAAA$\(hash)",
            "$scrypt$ln=+4,r=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$\(hash)",
            "$scrypt$r=1,ln=4,p=1$AAAAAAAAAAAAAAAAAAAAAA$\(hash)", "$scrypt$ln=4,r=1,p=1$AAAA$\(hash)",
            "$scrypt$ln=4,r=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$\(hash)A",
            "$scrypt$ln=4,r=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$\(hash)=",
            "$scrypt$ln=4,r=1,p=1$AAAAAAAAAAAAAAAAAAAAA $\(hash)",
            "$scrypt$ln=4,r=1,p=1$AAAAAAAAAAAAAAAAAAAAAB$\(hash)",
            "$scrypt$ln=4,r=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$\(hash)$", "$scrypt$ln=4,r=1,p=1$!!!!!!!!!!!!$\(hash)",
        ])
    func malformed(stored: String) {
        #expect(throws: BlocksError(.malformedPassword, "")) { try ScryptPassword.verify("p", against: stored) }
    }

    @Test("an error about a stored form does not show it")
    func discreet() {
        let error = #expect(throws: BlocksError.self) { try ScryptPassword.verify("p", against: "hunter2") }
        #expect(error?.description.contains("hunter2") == false)
    }
}
