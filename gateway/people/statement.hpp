// The text that a person signs (contract.md "The signed statement", wire.md "The statement's members"): RFC 8785, its
// SHA-256 is the passkey's challenge. Pure.
#pragma once

#include "storage/hold_store.hpp"
#include "workflows/encoding.hpp"
#include "workflows/hold.hpp"
#include "workflows/person.hpp"
#include "workflows/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::people {

/// SHA-256 of RFC 8785 of the hold's `reasons`.
digest summary_digest(const hold&);

struct statement_request {
    decision_kind decision = decision_kind::approve;
    std::string reason;  // empty: none
    time_point issued_at;
    time_point expires_at;
    std::string random;        // 16 bytes, for the nonce
    bool break_glass = false;  // an approval whose `slot` is `break-glass`
    std::string grant{};       // the terms, as terms_text() writes them; empty: none
};

/// `agent_name`: as the directory has it.
///
/// The nonce is 16 random bytes and 16 bytes of HMAC-SHA-256 under `key` over the statement with the random part alone:
/// so whoever holds the key knows its own statements again without keeping them, also those that expired or were used.
std::string write_statement(const storage::stored_hold&, std::string_view agent_name, const person& approver, const statement_request&,
                            std::string_view key);

struct issued_statement {
    hold_id hold;
    person_id approver;
    decision_kind decision = decision_kind::approve;
    std::string reason;
    std::string grant;         // as it was asked for; empty: none
    std::optional<int> slot;   // none for a denial
    bool break_glass = false;  // its `slot` says so
    time_point expires_at;
};

/// `bad_assertion` for every text that was not issued under that key, to the byte.
result<issued_statement> read_statement(std::string_view text, std::string_view key);

}  // namespace sallyport::people
