// Asks a running gateway over the Unix socket in its data directory (gateway/serve/admin_api.hpp answers).
#pragma once

#include "gateway/command_line/context.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>

namespace sallyport::command_line {

class admin_client {
public:
    explicit admin_client(const context& with) : socket_(with.data / "admin.sock") {}

    /// The answer's JSON. Ends the command with 3 when no gateway answers, with 1 and the problem's detail when it refuses.
    boost::json::object get(const std::string& target) const { return ask("GET", target, {}); }
    boost::json::object post(const std::string& target, const boost::json::object& body) const { return ask("POST", target, body); }
    boost::json::object erase(const std::string& target) const { return ask("DELETE", target, {}); }
    /// As get(), but none when no gateway answers.
    std::optional<boost::json::object> try_get(const std::string& target) const;

private:
    boost::json::object ask(const char* method, const std::string& target, const boost::json::object& body) const;
    std::filesystem::path socket_;
};

}  // namespace sallyport::command_line
