// What the journal says of a call that is not held: the verdict before it is sent on or refused, the outcome afterwards. A compact
// binary form: it is written on the fast path, and turned into an audit entry only when it is shipped.
#pragma once

#include "workflows/encoding.hpp"
#include "workflows/hold.hpp"
#include "workflows/ids.hpp"
#include "workflows/problem.hpp"
#include "workflows/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::audit {

/// An allowed call before it is sent on, or a denied one. Views: valid as long as what they were made of.
struct verdict_record {
    verdict_kind verdict = verdict_kind::allow;
    time_point at;
    action_id action;
    agent_id agent;
    std::string_view route;
    std::string_view rules;   // the ids of the rules that matched, joined by a space
    std::string_view policy;  // the digest of the configuration, in hex
    std::string_view method;
    std::string_view authority;
    std::string_view target;
    std::optional<digest> content;  // SHA-256 of the body, where it was read; none where it was streamed or absent
};

/// What became of it.
struct outcome_record {
    time_point at;
    action_id action;
    agent_id agent;
    int status = 0;                  // the upstream's; 0 when there was none
    std::optional<problem> failure;  // why there was none
};

/// Both replace what `out` held.
void encode(const verdict_record&, std::string& out);
void encode(const outcome_record&, std::string& out);

struct decoded_record {
    std::optional<verdict_record> verdict;
    std::optional<outcome_record> outcome;
};
/// One of the two, or neither when the bytes are not of this version. Views into `bytes`.
decoded_record decode(std::string_view bytes);

}  // namespace sallyport::audit
