// Checks the record against itself: each decision's statement against its action, its proof against what its hold demands and
// against the passkey that this person registered, and each release against the quorum or
// the grant that stands in for it. Pure; for `audit verify`.
#pragma once

#include "gateway/canonical/json.hpp"
#include "workflows/time.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sallyport::audit {

/// What is looked at of an entry.
struct shown_entry {
    std::int64_t index = 0;
    std::string kind;
    std::string action;  // empty: none
    std::string hold;
    std::string person;
    std::string data;  // JSON
    std::string agent{};
    time_point at{};
};

struct finding {
    std::int64_t index = 0;
    std::string message;
};

/// What findings are counted by.
enum class finding_kind : std::uint8_t { place, entry, data, hold, decision, release };
/// So many of a kind are kept; the others are counted, for of a hostile log there are millions.
inline constexpr std::size_t most_of_a_kind = 50;

struct verification {
    std::size_t entries = 0;
    std::size_t decisions = 0;   // that were found in order
    std::size_t signatures = 0;  // of them by passkey
    std::size_t releases = 0;
    std::vector<finding> findings;  // empty: all is well
    std::size_t left_out = 0;       // findings that were not kept
};

/// Is shown every entry there is, in the log's order; by their indexes it finds what is missing. A decision's `data` holds what semantics.md names: the statement,
/// authenticatorData, clientDataJSON, signature and the credential's key (SubjectPublicKeyInfo, base64).
/// The log also says who registered which passkey (`passkey.add`) and what a hold demands (its first `hold` entry); who
/// could write those anew is not caught here.
class record_check {
public:
    record_check();
    ~record_check();
    record_check(record_check&&) noexcept;
    record_check& operator=(record_check&&) noexcept;

    void look(const shown_entry&);
    /// With its `data` as it was read already.
    void look(const shown_entry&, const json::value& data);
    /// The log has `size` entries: those behind the last that was looked at are missing.
    void ends_at(std::int64_t size);
    /// What else was found, with an entry that cannot be looked at. A long message is cut.
    void report(finding_kind, std::int64_t index, std::string message);
    verification finish();

private:
    class checker;
    std::unique_ptr<checker> checker_;
};

verification verify(std::span<const shown_entry> entries);

}  // namespace sallyport::audit
