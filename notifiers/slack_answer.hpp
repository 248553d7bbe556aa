// What Slack's Web API answers, and what that means for a delivery. Pure.
#pragma once

#include "notifiers/channel.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace sallyport::notifiers {

inline constexpr std::size_t slack_longest_answer = 1 << 20;

/// `error` is Slack's word for it where it gave one (`message_not_found`), else empty.
struct slack_refusal {
    std::string error;
    not_delivered why;
};

/// The answer's members where it says `"ok": true`. `retry_after` in seconds, 0 where there was none.
using slack_answer = std::variant<boost::json::object, slack_refusal>;
slack_answer read_slack_answer(std::string_view method, long http_status, long long retry_after, std::string_view body);

/// `"error": …` of an answer of `method`; `needed` is the scope that `missing_scope` names.
not_delivered why_slack_refuses(std::string_view method, std::string_view error, std::string_view needed = {});

/// The text at `path`, its names separated by `/`; empty where there is none.
std::string_view text_at(const boost::json::object&, std::string_view path) noexcept;

/// `C…`, `D…`, `U…`: upper-case letters and digits, at most 32.
bool slack_id(std::string_view) noexcept;
/// `1503435956.000247`.
bool slack_timestamp(std::string_view) noexcept;

}  // namespace sallyport::notifiers
