#include "gateway/command_line/judged_request.hpp"

#include "gateway/canonical/headers.hpp"
#include "gateway/canonical/target.hpp"
#include "gateway/http/buffers.hpp"
#include "gateway/http/incoming.hpp"
#include "gateway/policy/call_body.hpp"

#include <algorithm>
#include <cstring>

namespace sallyport::command_line {
namespace {

// Editors write LF; HTTP wants CR LF in the head.
std::string with_line_ends(std::string_view message)
{
    if (message.find("\r\n") != std::string_view::npos) return std::string(message);
    std::string out;
    for (std::size_t i = 0; i < message.size(); ++i) {
        if (message.substr(i, 2) == "\n\n") return out + "\r\n\r\n" + std::string(message.substr(i + 2));
        if (message[i] == '\n') out += '\r';
        out += message[i];
    }
    return out;
}

}  // namespace

result<judged_request> request_of_message(std::string_view message)
{
    const std::string text = with_line_ends(message);
    http::buffer_pool buffers;
    http::incoming<http::request_head> in(buffers, 64 << 10);
    std::string_view left = text;
    for (;;) {
        const auto parsed = in.parse();
        if (!parsed) return parsed.error();
        if (*parsed) break;
        if (left.empty()) return fail(problem::malformed_request, "The request's head does not end: an empty line is missing.");
        const auto room = in.room();
        const auto part = std::min(room.size(), left.size());
        std::memcpy(room.data(), left.data(), part);
        in.received(part);
        left.remove_prefix(part);
    }
    judged_request request;
    request.method = in.head().method;
    request.target = in.head().target;
    request.host = in.head().host;
    for (const field& f : in.head().fields) request.headers.emplace_back(f.name, f.value);
    request.body = std::string(in.rest()) + std::string(left);
    return request;
}

result<policy::verdict> judge(const config::configuration& config, const credential_fields& credentials, const judged_request& request,
                              const agent& who, const policy::task_facts* task, time_point now)
{
    std::string scratch;
    const auto target = read_target(request.target, request.host, scratch);
    if (!target) return target.error();
    const auto match = config.match_route(request.host, target->path);
    if (!match.route) return fail(problem::no_route, "No route leads to " + std::string(target->path) + ".");
    if (auto refused = target->refused_by({match.route->keep_encoded_slash, match.route->keep_path_parameters})) return *refused;

    std::vector<field> received;
    for (const auto& [name, value] : request.headers) received.push_back({name, value});
    header_list sent;
    const auto credential = credentials.find(match.route->credential);
    fields_to_upstream(received, credential == credentials.end() ? std::string_view() : std::string_view(credential->second), sent);

    std::optional<json::document> body;
    if (config.rules.reads_body(match.route->index)) {
        auto read = policy::read_body(sent.fields(), request.body);
        if (!read) return read.error();
        body = std::move(*read);
    }
    const std::string host = host_name(request.host);
    policy::call_facts call;
    call.method = request.method;
    call.host = host;
    call.path = match.rest.empty() ? std::string_view("/") : match.rest;
    call.query = target->query.value_or("");
    call.headers = sent.fields();
    call.body = body ? &body->root() : nullptr;
    call.agent = &who;
    call.task = task;
    call.now = now;
    return config.rules.judge(match.route->index, call);
}

}  // namespace sallyport::command_line
