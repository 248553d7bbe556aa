// What of a held action rests sealed in the database: its fields and its body, to the byte.
#pragma once

#include "gateway/canonical/action.hpp"
#include "gateway/jose/sealing.hpp"
#include "storage/hold_store.hpp"
#include "workflows/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::release {

using header_values = std::vector<std::pair<std::string, std::string>>;

/// Sealed under the action's id: moved to another action's row it does not open.
std::string seal_payload(const keyring&, const action&);

/// The action as it was judged, from its record and what was sealed. Fails closed: `internal_error` when the seal does
/// not open, or when what comes out has another digest than the record says.
result<action> open_action(const keyring&, const storage::action_record&);

/// An upstream's answer, as it is kept for its agent.
struct answer {
    int status = 0;
    header_values headers;  // those that are passed on
    std::string body;
    std::optional<std::uint64_t> declared_length{};  // of the body that an answer to HEAD does not have
};
storage::kept_response seal_answer(const keyring&, hold_id, const answer&, time_point expires_at);
result<answer> open_answer(const keyring&, const storage::kept_response&);

}  // namespace sallyport::release
