/// Why a poll token or an upload ticket is not accepted.
public enum TokenError: Error, Hashable, Sendable {
    /// The text is none that a server makes.
    case malformed
    /// It is signed by a key that the server does not have, or no longer.
    case unknownKey
    /// The signature is not that of its key: the token was altered, or never a server's.
    case forged
    /// Its time is over: the device asks for another.
    case expired
}
