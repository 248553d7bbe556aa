#include "gateway/command_line/admin_client.hpp"

#include "gateway/command_line/http_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace sallyport::command_line {
namespace {

boost::json::object object_of(const std::string& text)
{
    boost::system::error_code error;
    auto value = boost::json::parse(text, error);
    if (error || !value.is_object()) throw command_failed(exit_status::unreachable, "The gateway's answer is not JSON.");
    return std::move(value.as_object());
}

// None for an empty path, or one that is not there.
struct opened_directory {
    explicit opened_directory(const std::filesystem::path& path)
        : descriptor(path.empty() ? -1 : ::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC))
    {
    }
    ~opened_directory()
    {
        if (descriptor >= 0) ::close(descriptor);
    }
    opened_directory(const opened_directory&) = delete;
    opened_directory& operator=(const opened_directory&) = delete;
    const int descriptor;
};

std::string text_member(const boost::json::object& object, std::string_view name)
{
    const auto* value = object.if_contains(name);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

}  // namespace

std::optional<boost::json::object> admin_client::try_get(const std::string& target) const
{
    try {
        return get(target);
    } catch (const command_failed& e) {
        if (e.status() == exit_status::unreachable) return std::nullopt;
        throw;
    }
}

boost::json::object admin_client::ask(const char* method, const std::string& target, const boost::json::object& body) const
{
    // The path of a socket has 107 bytes: a longer one is reached by way of its directory's descriptor (proc(5)). Not by
    // changing into it: what else the command line names may be relative.
    std::string address = socket_.string();
    const opened_directory directory(address.size() > 107 ? socket_.parent_path() : std::filesystem::path());
    if (directory.descriptor >= 0) address = "/proc/self/fd/" + std::to_string(directory.descriptor) + '/' + socket_.filename().string();
    client_request request;
    request.method = method;
    request.url = "http://admin" + target;
    request.unix_socket = address;
    if (request.method != "GET") {
        request.headers = {"Content-Type: application/json"};
        request.body = boost::json::serialize(body);
    }
    const auto answered = exchange(request);
    if (const auto* why = std::get_if<std::string>(&answered))
        throw command_failed(exit_status::unreachable, "No gateway answers at " + socket_.string() + " (" + *why +
                                                           "). Is `sallyport serve` running with this --data?");
    const auto& answer = std::get<client_answer>(answered);
    auto object = object_of(answer.body.empty() ? "{}" : answer.body);
    if (answer.status >= 400) {
        std::string why = text_member(object, "detail");
        if (why.empty()) why = text_member(object, "title");
        const bool away = answer.status == 503;
        throw command_failed(away ? exit_status::unreachable : exit_status::no, why.empty() ? "The gateway refused." : why);
    }
    return object;
}

}  // namespace sallyport::command_line
