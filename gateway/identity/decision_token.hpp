// What a channel is given so that its reader can decide from there: it names hold, person and channel, ends with the hold, and
// is ours by its MAC. Nothing is stored of it until it is used. It suffices for `click`, and opens nothing else.
#pragma once

#include "workflows/ids.hpp"
#include "workflows/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::identity {

struct decision_token {
    hold_id hold;
    person_id person;
    time_point expires_at;
    std::string channel;  // `slack`, `email`; at most 64 characters
};

/// Characters of base64url; the same for the same values. `key`: 32 bytes, of this purpose alone.
std::string write_decision_token(const decision_token&, std::string_view key);
/// None for every text that was not written under that key. That its time is over is the caller's to see.
std::optional<decision_token> read_decision_token(std::string_view text, std::string_view key);

/// The purpose by which its key is derived (keyring::derive).
inline constexpr std::string_view decision_token_purpose = "decision token";

}  // namespace sallyport::identity
