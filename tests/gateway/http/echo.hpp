// A handler that answers with what it was asked, and the request to ask it.
#pragma once

#include "gateway/http/exchange.hpp"

#include <memory_resource>
#include <string>
#include <string_view>

namespace loopback {

using namespace sallyport;
using namespace sallyport::http;

// Answers with method, target and body.
inline awaitable<void> echo(exchange& call)
{
    const auto body = co_await call.read_body(100'000);
    if (!body) {
        const std::string text = std::string(facts(body.error().what).name) + ": " + body.error().detail;
        co_await call.respond(facts(body.error().what).status, {}, text);
        co_return;
    }
    std::pmr::string text(&call.arena());
    text += call.head().method;
    text += ' ';
    text += call.head().target;
    text += '\n';
    text += *body;
    const field headers[] = {{"Content-Type", "text/plain"}};
    co_await call.respond(200, headers, text);
}

inline std::string get(std::string_view target, std::string_view lines = "")
{
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n";
}

}  // namespace loopback
