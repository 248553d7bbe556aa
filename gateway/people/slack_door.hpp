// `POST /slack/interactivity`, where Slack says what people did: no page of ours, no session, no Origin; the signature over the exact
// bytes stands for all of them.
#pragma once

#include "gateway/http/exchange.hpp"
#include "gateway/people/call.hpp"
#include "gateway/people/context.hpp"
#include "gateway/people/slack.hpp"

#include <atomic>
#include <cstdint>
#include <string_view>

namespace sallyport::people {

inline constexpr std::string_view slack_path = "/slack/interactivity";

/// What is to be done once it is committed.
void carry_out(const people_context&, slack_outcome&);

class slack_door {
public:
    explicit slack_door(const people_context& context) : context_(context) {}
    slack_door(const slack_door&) = delete;
    slack_door& operator=(const slack_door&) = delete;

    /// On any core. What is left to be said in Slack goes to `people_context::slack`, once it is committed.
    http::awaitable<reply> answer(http::exchange&, call);

private:
    http::awaitable<result<slack_outcome>> decide(http::exchange&, std::shared_ptr<const call>, std::shared_ptr<const from_slack>);
    reply refuse(std::string_view why);

    const people_context& context_;
    std::atomic<std::int64_t> said_at_{0};  // steady seconds
    std::atomic<std::uint64_t> unsaid_{0};
};

}  // namespace sallyport::people
