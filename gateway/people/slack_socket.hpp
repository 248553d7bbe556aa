// Slack's Socket Mode: where nothing may come in from outside, we go to Slack and fetch what people do. The same is done with it as
// with what is posted (slack.hpp); that it is Slack's says the connection, whose certificate is Slack's.
#pragma once

#include "gateway/http/websocket.hpp"
#include "gateway/people/call.hpp"
#include "gateway/people/context.hpp"
#include "gateway/people/slack.hpp"
#include "notifiers/slack.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace sallyport::people {

/// One thread, one connection while the configuration has an `app_token`; every replica has its own, and Slack gives each request
/// to one of them.
class slack_socket {
public:
    slack_socket(const people_context&, const surroundings&);
    /// stop().
    ~slack_socket();
    slack_socket(const slack_socket&) = delete;
    slack_socket& operator=(const slack_socket&) = delete;

    void start();
    void stop() noexcept;

private:
    void run();
    /// Until it is over, or the configuration is another. True: it was good for something.
    bool serve(const config::snapshot&);
    /// The acknowledgement; empty: none, for Slack should try again.
    std::string answer(const notifiers::slack_envelope&, std::string_view text);
    bool stopping();

    const people_context& context_;
    const surroundings& around_;
    std::mutex mutex_;  // for the members below
    std::condition_variable wake_;
    std::shared_ptr<notifiers::slack_channel> api_;
    std::shared_ptr<http::websocket> socket_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace sallyport::people
