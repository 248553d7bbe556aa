// One HTTP exchange, by libcurl: for commands, which may block.
#pragma once

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace sallyport::command_line {

struct client_request {
    std::string method = "GET";
    std::string url;
    std::filesystem::path unix_socket;  // empty: by TCP
    std::vector<std::string> headers;   // `Name: value`
    std::string body;
};

struct client_answer {
    long status = 0;
    std::string body;
};

/// The answer, whatever its status, or why there is none. Redirects are not followed; certificates are verified.
std::variant<client_answer, std::string> exchange(const client_request&);

}  // namespace sallyport::command_line
