// One HTTP POST whose every part is bounded: the time, by the clock and not between two bytes; the answer's length. By
// libcurl: Debian's cpp-httplib 0.11.4 bounds neither a whole exchange nor a status line, which it reads by std::regex, so that
// one of a megabyte overflows the stack.
#pragma once

#include "workflows/secret.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

namespace sallyport::notifiers {

/// Which addresses a name may lead to.
enum class http_reach { anywhere, public_only, public_or_loopback };

struct http_post_request {
    std::string url;                          // http or https
    bool url_is_secret = false;               // errors say nothing of it; otherwise they may name it
    http_reach reach = http_reach::anywhere;  // looked at when the name is resolved, on the very socket that connects
    std::string content_type;
    std::string body;
    secret bearer;                     // for `Authorization`; empty: none
    std::vector<std::string> headers;  // more, as `Name: value`
    std::string ca_file;               // PEM; empty: the system's. Certificates are always checked
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(5);
    std::chrono::milliseconds timeout = std::chrono::seconds(15);  // of all, names and handshakes too
    std::size_t longest_answer = 1 << 20;
    bool drop_body = false;                  // the status is all: a body is read that far, and not kept
    const std::atomic<bool>* cut = nullptr;  // once true, what waits ends within a second; outlives the call
};

struct http_post_answer {
    long status = 0;
    long long retry_after = 0;  // seconds, of `Retry-After` in either of its forms; 0: none
    std::string body;
};

/// No answer: why, in one sentence for operators. Whether the other side acted is not known then.
struct no_http_answer {
    std::string why;
};

/// Redirects are not followed, no proxy is used, no environment read. Any thread.
std::variant<http_post_answer, no_http_answer> http_post(const http_post_request&);

}  // namespace sallyport::notifiers
