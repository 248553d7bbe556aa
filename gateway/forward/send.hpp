// A released action: sent once, and its whole answer kept (semantics.md, "Approved, but nothing could be sent", "Kept
// answers"). What this says of the outcome is what the hold becomes.
#pragma once

#include "gateway/config/configuration.hpp"
#include "gateway/forward/forward.hpp"
#include "gateway/forward/outgoing.hpp"
#include "gateway/forward/pool.hpp"
#include "gateway/http/async.hpp"
#include "workflows/result.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::forward {

/// An upstream's answer as it is kept: no hop-by-hop fields, no `Sallyport-*`, no credential.
struct answer {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  // lower-case names, in order, without content-length
    std::string body;
    /// What Content-Length said where no body came: the answer to HEAD.
    std::optional<std::uint64_t> declared_length;
};

/// Who still takes an answer that is too long to be kept: an agent's waiting connection.
class answer_sink {
public:
    virtual ~answer_sink() = default;
    /// Once, before the first bytes. `length`: of the whole body, where it is known. False: takes nothing (more).
    virtual http::awaitable<bool> begin(int status, std::span<const std::pair<std::string, std::string>> headers,
                                        std::optional<std::uint64_t> length) = 0;
    virtual http::awaitable<bool> write(std::string_view) = 0;
    /// `whole`: everything came. Not called if `begin` or `write` gave false.
    virtual http::awaitable<void> end(bool whole) = 0;
};

enum class sent_kind {
    nothing_sent,  // not one byte of the request can have been processed: it may be tried again
    answered,      // `answer` is whole
    too_long,      // a whole answer came, but longer than the limit: `answer` is without its body
    unknown,       // a byte was or may have been sent, and no whole well-formed answer came in time
};

struct sent {
    sent_kind kind = sent_kind::unknown;
    forward::answer answer;      // `answered`, `too_long`
    std::optional<failure> why;  // `nothing_sent`: `upstream_unreachable` (or `internal_error`: it will never go); `unknown`
    std::uint64_t request_bytes = 0;
    std::uint64_t response_bytes = 0;
    timing times;
};

/// Sends at most once: what it calls `nothing_sent` is the caller's to try again. `route.timeout` is for the whole answer,
/// from the call on; once an answer has outgrown `limit` and goes to `sink`, between two reads of it. When its coroutine
/// is cancelled it throws: then the outcome is unknown. References and views must live until it returns.
http::awaitable<sent> send(upstream_pool& pool, const config::route& route, const outgoing& request, std::string_view body,
                           std::uint64_t limit, answer_sink* sink = nullptr);

}  // namespace sallyport::forward
