// The people's listener: the API under /api/v1, the event stream, and the pages (contract.md "The people's side",
// wire.md "The people's API", semantics.md "Deciding" and "The two listeners").
//
// Thread: `serve` on any core; what it awaits resumes there. Ownership: outlives every call of `serve`.
#pragma once

#include "gateway/http/exchange.hpp"
#include "gateway/people/call.hpp"
#include "gateway/people/context.hpp"
#include "gateway/people/openid_door.hpp"
#include "gateway/people/slack_door.hpp"
#include "gateway/people/slack_socket.hpp"

#include <string>
#include <string_view>

namespace sallyport::people {

class api {
public:
    explicit api(people_context);
    api(const api&) = delete;
    api& operator=(const api&) = delete;

    /// Answers one request, whatever it is: the handler for http::server_options.
    http::awaitable<void> serve(http::exchange&);
    /// What is fetched instead of served: Slack's Socket Mode. Any thread, once; `stop` blocks for a moment.
    void start() { socket_.start(); }
    void stop() noexcept { socket_.stop(); }

private:
    http::awaitable<reply> answer(http::exchange&, call&, const struct resource&);
    http::awaitable<result<reply>> in_transaction(http::exchange&, const call&, const struct resource&);
    http::awaitable<void> stream_events(http::exchange&, call);
    http::awaitable<void> pass_openid_door(http::exchange&, call);
    http::awaitable<void> after_commit(http::exchange&, const reply&);
    http::awaitable<void> await_directory(http::exchange&, std::int64_t generation);

    people_context context_;
    surroundings around_;
    openid_door openid_{context_};
    slack_door slack_{context_};
    slack_socket socket_{context_, around_};
};

}  // namespace sallyport::people
