// routes: where agents' calls go.
#include "gateway/config/draft.hpp"
#include "gateway/config/url.hpp"

#include <algorithm>

namespace sallyport::config {
namespace {

constexpr std::string_view keys[] = {
    "id",         "prefix",     "host",          "upstream",        "ca",    "credential", "wait", "timeout",
    "body_limit", "idempotent", "encoded_slash", "path_parameters", "labels"};
constexpr std::uint64_t largest_body = std::uint64_t{1} << 30;  // bytes: it is held in memory while it is judged
constexpr duration longest_wait = std::chrono::hours(1);

// What the gateway answers itself on the agents' listener (semantics.md "Paths").
constexpr std::string_view reserved[] = {"oauth2", ".well-known", ".sallyport"};

void read_prefix(draft& d, const value& v, route& r)
{
    const auto text = d.read.text(v, "`prefix`");
    if (!text) return;
    const std::string_view first = std::string_view(*text).substr(std::min<std::size_t>(1, text->size()));
    if (const auto wrong = *text == "/" ? std::string{} : wrong_with_path(*text); !wrong.empty()) {
        d.read.error(v, "`prefix` must be a path such as /payments; it " + wrong);
    } else if (std::find(std::begin(reserved), std::end(reserved), first.substr(0, first.find('/'))) != std::end(reserved)) {
        d.read.error(v, "`prefix` must not begin with /oauth2, /.well-known or /.sallyport, which the gateway answers itself");
    } else if (d.add(d.prefixes, "prefix", *text, v)) {
        r.prefix = *text;
    }
}

void read_host(draft& d, const value& v, route& r)
{
    const auto text = d.read.text(v, "`host`");
    if (!text) return;
    std::string host = *text;
    std::transform(host.begin(), host.end(), host.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (const auto wrong = wrong_with_host(host); !wrong.empty())
        d.read.error(v,
                     "`host` must be a host name such as api.internal.example, without scheme and port; `" + shown(*text) + "` " + wrong);
    else if (d.add(d.hosts, "host", host, v))
        r.host = host;
}

void read_upstream(draft& d, const value& v, route& r)
{
    const auto text = d.read.text(v, "`upstream`");
    if (!text) return;
    std::string wrong;
    const auto u = read_url(*text, "http", "https", wrong);
    if (!u) return d.read.error(v, "`upstream` " + wrong);
    r.upstream = {u->scheme == "https", u->host, u->port, u->authority, u->path};
}

void read_wait(draft& d, const value& v, route& r)
{
    constexpr std::string_view wait_keys[] = {"default", "max"};
    const section s(d.read, v, "`wait`", wait_keys);
    s.take(r.wait_max, "max", &reading::duration);
    if (r.wait_max > longest_wait) {
        if (const auto at = s.find("max")) d.read.error(*at, "`max` must be at most 1h");
        r.wait_max = longest_wait;
    }
    r.wait_default = std::min(r.wait_default, r.wait_max);
    const auto at = s.find("default");
    if (!at) return;
    // Nothing at all is a default too: the 202 at once.
    if (at->node->plain() && at->node->text == "0s")
        r.wait_default = duration{0};
    else
        s.take(r.wait_default, "default", &reading::duration);
    if (r.wait_default > r.wait_max) d.read.error(*at, "`default` must not be longer than `max`, which is " + format_duration(r.wait_max));
}

void read_labels(draft& d, const value& v, route& r)
{
    const auto entries = d.read.members(v, "`labels`");
    if (!entries) return;
    const auto fits = [](std::string_view text) {
        return text.size() <= 256 &&
               std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    };
    for (const auto& e : *entries) {
        const auto text = d.read.text(e.value, "`" + shown(e.key) + "`");
        if (!text) continue;
        if (e.key.empty() || !fits(e.key) || !fits(*text))
            d.read.error(e.value, "a label's name and value must be at most 256 bytes without controls");
        else
            r.labels.emplace(e.key, *text);
    }
}

void read_route(draft& d, const value& v)
{
    const section s(d.read, v, "a route", keys);
    if (!s) return;
    route r;
    const auto id = s.need("id");
    const bool named = s.take(r.id, "id", &reading::name) && d.add(d.routes, "route", r.id, *id);

    const auto prefix = s.find("prefix"), host = s.find("host");
    if (prefix && host)
        d.read.error(*host, "a route has either `prefix` or `host`, not both");
    else if (prefix)
        read_prefix(d, *prefix, r);
    else if (host)
        read_host(d, *host, r);
    else
        d.read.error(v, "a route needs `prefix` or `host`");

    if (const auto upstream = s.need("upstream")) read_upstream(d, *upstream, r);
    s.take(r.ca, "ca", &reading::path);
    if (const auto ca = s.find("ca"); ca && !r.upstream.host.empty() && !r.upstream.tls)
        d.read.error(*ca, "`ca` is for an https upstream; this one is http");
    s.take(r.credential, "credential", &reading::name);
    if (const auto wait = s.find("wait")) read_wait(d, *wait, r);
    s.take(r.timeout, "timeout", &reading::duration);
    s.take(r.body_limit, "body_limit", &reading::size, std::uint64_t{0}, largest_body);
    s.take(r.idempotent, "idempotent", &reading::boolean);
    constexpr reading::choice_of<bool> keep_or_refuse[] = {{"keep", true}, {"refuse", false}};
    for (const auto& [key, to] : {std::pair{"encoded_slash", &r.keep_encoded_slash}, std::pair{"path_parameters", &r.keep_path_parameters}})
        if (const auto at = s.find(key)) *to = d.read.choice(*at, "`" + std::string(key) + "`", keep_or_refuse).value_or(false);
    if (const auto labels = s.find("labels")) read_labels(d, *labels, r);
    if (named) d.config.routes.push_back(std::move(r));
}

}  // namespace

void read_routes(draft& d, const value& v)
{
    const auto items = d.read.list(v, "`routes`");
    if (!items) return;
    for (const auto& item : *items) read_route(d, item);
}

}  // namespace sallyport::config
