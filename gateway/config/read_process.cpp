// The keys that belong to the process: listen, public_url, agents_url, database, tls; and limits.
#include "gateway/config/draft.hpp"
#include "gateway/config/url.hpp"

#include <array>
#include <chrono>

namespace sallyport::config {
namespace {

bool any_address(std::string_view host) noexcept { return host == "0.0.0.0" || host == "::"; }

bool collide(const listen_address& a, const listen_address& b) noexcept
{
    return a.port != 0 && a.port == b.port && (a.host == b.host || any_address(a.host) || any_address(b.host));
}

// An origin: pages and well-known paths stand at its root.
std::optional<url> read_origin(draft& d, const value& v, std::string_view what)
{
    const auto text = d.read.text(v, what);
    if (!text) return std::nullopt;
    std::string wrong;
    auto u = read_url(*text, "http", "https", wrong);
    if (u && u->path.empty()) return u;
    d.read.error(v, std::string(what) + " " + (u ? "must not have a path" : wrong));
    return std::nullopt;
}

bool loopback_name(std::string_view host) noexcept { return host == "localhost" || host.ends_with(".localhost"); }

struct duration_limit {
    std::string_view key;
    duration limits::*member;
};
struct size_limit {
    std::string_view key;
    std::uint64_t limits::*member;
    std::uint64_t least, most;  // bytes
};
struct count_limit {
    std::string_view key;
    std::uint64_t limits::*member;
    std::uint64_t most;
};
constexpr auto duration_limits = std::to_array<duration_limit>({{"statement", &limits::statement},
                                                                {"session", &limits::session},
                                                                {"enrolment", &limits::enrolment},
                                                                {"access_token", &limits::access_token},
                                                                {"keep_response", &limits::keep_response},
                                                                {"release_window", &limits::release_window}});
constexpr auto size_limits = std::to_array<size_limit>(
    {{"response_bytes", &limits::response_bytes, 0, std::uint64_t{1} << 30}, {"header_bytes", &limits::header_bytes, 1 << 10, 1 << 20}});
constexpr auto count_limits = std::to_array<count_limit>({{"connections", &limits::connections, 1'000'000},
                                                          {"holds", &limits::holds, 100'000'000},
                                                          {"holds_per_agent", &limits::holds_per_agent, 100'000'000},
                                                          {"asks_per_hour", &limits::asks_per_hour, 1'000'000}});
constexpr duration longest_access_token = std::chrono::minutes(15);  // contract.md, "POST /oauth2/token"

}  // namespace

void read_listen(draft& d, const value& v)
{
    constexpr std::string_view keys[] = {"agents", "people", "metrics"};
    const section s(d.read, v, "`listen`", keys);
    const auto read = [&](listen_address& to, std::string_view key) {
        const auto at = s.find(key);
        if (!at) return;
        const auto text = d.read.text(*at, "`" + std::string(key) + "`");
        if (!text) return;
        if (const auto address = read_listen_address(*text))
            to = *address;
        else
            d.read.error(*at,
                         "`" + std::string(key) + "` must be HOST:PORT such as 127.0.0.1:8080 or [::1]:8080, not `" + shown(*text) + "`");
    };
    auto& c = d.config;
    read(c.agents, "agents");
    read(c.people, "people");
    read(c.metrics, "metrics");
    // Agents have no way to the people's side: not by a shared socket either.
    if (collide(c.agents, c.people)) d.read.error(v, "`agents` and `people` must not share an address");
    if (collide(c.agents, c.metrics)) d.read.error(v, "`agents` and `metrics` must not share an address");
    if (collide(c.people, c.metrics)) d.read.error(v, "`people` and `metrics` must not share an address");
}

void read_public_url(draft& d, const value& v)
{
    const auto u = read_origin(d, v, "`public_url`");
    if (!u) return;
    d.config.public_url = u->text();
    d.config.public_host = u->host;
    // WebAuthn Level 3 §5.1.2: a secure context, and a domain as the relying party's id.
    if (u->address)
        d.read.warning(v, "`public_url` has an address; browsers use passkeys only where there is a host name");
    else if (u->scheme == "http" && !loopback_name(u->host))
        d.read.warning(v, "`public_url` is not https; browsers use passkeys without it only on localhost");
}

void read_agents_url(draft& d, const value& v)
{
    if (const auto u = read_origin(d, v, "`agents_url`")) d.config.agents_url = u->text();
}

void read_database(draft& d, const value& v)
{
    constexpr std::string_view keys[] = {"url", "password"};
    auto at = v;
    if (v.node->kind == yaml::node::kind::map) {
        const section s(d.read, v, "`database`", keys);
        if (const auto password = s.find("password")) d.config.database_password = d.read.secret(*password, "`password`");
        const auto uri = s.need("url");
        if (!uri) return;
        at = *uri;
    }
    const auto uri = d.read.text(at, "`database`");
    if (!uri) return;
    if (auto wrong = wrong_with_database(*uri); !wrong.empty()) return d.read.error(at, "`database` " + wrong);
    d.config.database = *uri;
}

void read_tls(draft& d, const value& v)
{
    constexpr std::string_view keys[] = {"agents", "people"};
    constexpr std::string_view file_keys[] = {"certificate", "key"};
    const section s(d.read, v, "`tls`", keys);
    const auto read = [&](std::optional<tls_files>& to, std::string_view key) {
        const auto at = s.find(key);
        if (!at) return;
        const section files(d.read, *at, "`tls." + std::string(key) + "`", file_keys);
        if (!files) return;
        files.need("certificate");
        files.need("key");
        tls_files pair;
        files.take(pair.certificate, "certificate", &reading::path);
        files.take(pair.key, "key", &reading::path);
        to = std::move(pair);
    };
    read(d.config.agents_tls, "agents");
    read(d.config.people_tls, "people");
}

void read_limits(draft& d, const value& v)
{
    std::vector<std::string_view> keys;
    for (const auto& l : duration_limits) keys.push_back(l.key);
    for (const auto& l : size_limits) keys.push_back(l.key);
    for (const auto& l : count_limits) keys.push_back(l.key);
    const section s(d.read, v, "`limits`", keys);
    if (!s) return;
    auto& limits = d.config.limits;
    for (const auto key : keys)
        if (const auto e = s.find_entry(key)) d.add(d.once, "limit", "limits." + std::string(key), e->value);
    for (const auto& l : duration_limits) s.take(limits.*l.member, l.key, &reading::duration);
    for (const auto& l : size_limits) s.take(limits.*l.member, l.key, &reading::size, l.least, l.most);
    for (const auto& l : count_limits) s.take(limits.*l.member, l.key, &reading::number, std::uint64_t{1}, l.most);
    if (limits.access_token > longest_access_token) {
        if (const auto at = s.find("access_token")) d.read.error(*at, "`access_token` must be at most 15m");
        limits.access_token = longest_access_token;
    }
}

}  // namespace sallyport::config
