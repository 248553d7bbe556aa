// Signed notes (C2SP signed-note) with Ed25519, and the checkpoint of a log that one holds (C2SP tlog-checkpoint).
#pragma once

#include "workflows/encoding.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::tree {

/// Who signs: a name without spaces and `+`, and an Ed25519 key (RFC 8032 §5.1.5).
struct verifier {
    std::string name;
    std::string key;  // 32 bytes

    /// `NAME+ID+KEY`, the ID in hex, the KEY (behind its type) in base64.
    std::string vkey() const;
    /// None for anything that vkey() does not write, other kinds of keys too.
    static std::optional<verifier> parse(std::string_view vkey);

    friend bool operator==(const verifier&, const verifier&) = default;
};

struct checkpoint {
    std::string origin;      // the log's name, one line
    std::uint64_t size = 0;  // entries
    digest root;

    std::string text() const;
    /// None for anything that text() does not write.
    static std::optional<checkpoint> parse(std::string_view text);

    friend bool operator==(const checkpoint&, const checkpoint&) = default;
};

/// Gives the 64 bytes of an Ed25519 signature over `text`.
using signer = std::function<std::string(std::string_view text)>;
/// `text` ends with a line end.
std::string sign_note(std::string_view text, const verifier& who, const signer& sign);

/// The text of a note with exactly one signature, that of `who`. Who else signs is not known here, and what cannot be checked
/// is not taken. None when it does not verify.
std::optional<std::string> open_note(std::string_view note, const verifier& who);

}  // namespace sallyport::tree
