import Model

/// The file formats whose bytes are compressed already.
enum CompressedFormats {
    /// Whether a file that begins so is of such a format.
    static func areSignature(_ sample: UnsafeRawBufferPointer) -> Bool {
        signatures.contains { signature in
            sample.count >= signature.offset + signature.bytes.count
                && sample[signature.offset...].starts(with: signature.bytes)
        }
    }

    /// Whether the extension of a name, in either case, is that of such a format.
    static func areExtension(of name: NodeName) -> Bool {
        guard let dot = name.bytes.lastIndex(of: UInt8(ascii: ".")), dot > 0 else { return false }
        let letters = name.bytes[(dot + 1)...]
        guard letters.count <= 6 else { return false }
        return extensions.contains(String(decoding: letters, as: UTF8.self).lowercased())
    }

    private static let signatures: [(offset: Int, bytes: [UInt8])] = [
        (0, [0xFF, 0xD8, 0xFF]),  // JPEG
        (0, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]),  // PNG
        (0, Array("GIF8".utf8)),
        (0, [0x1F, 0x8B, 0x08]),  // gzip
        (0, [0x50, 0x4B, 0x03, 0x04]),  // zip, and what is made of it: office documents, packages
        (0, [0x28, 0xB5, 0x2F, 0xFD]),  // zstd
        (0, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]),  // xz
        (0, [0x42, 0x5A, 0x68]),  // bzip2
        (0, [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]),  // 7-Zip
        (0, Array("Rar!".utf8)),
        (0, [0x04, 0x22, 0x4D, 0x18]),  // LZ4
        (0, Array("OggS".utf8)),
        (0, Array("fLaC".utf8)),
        (0, Array("ID3".utf8)),  // MP3 with a tag
        (0, [0x1A, 0x45, 0xDF, 0xA3]),  // Matroska, WebM
        (4, Array("ftyp".utf8)),  // MP4, HEIC, AVIF
        (8, Array("WEBP".utf8)),
    ]

    private static let extensions: Set<String> = [
        "7z", "aac", "apk", "avi", "avif", "br", "bz2", "deb", "docx", "epub", "flac", "gif", "gz", "heic", "heif",
        "jar",
        "jpeg", "jpg", "jxl", "lz4", "m4a", "m4v", "mkv", "mov", "mp3", "mp4", "mpeg", "mpg", "odp", "ods", "odt",
        "oga",
        "ogg", "ogv", "opus", "png", "pptx", "rar", "rpm", "tgz", "txz", "webm", "webp", "whl", "wma", "wmv", "woff",
        "woff2", "xlsx", "xz", "zip", "zst",
    ]
}
