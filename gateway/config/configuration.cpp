#include "gateway/config/configuration.hpp"

#include "gateway/config/url.hpp"

#include <algorithm>
#include <array>

namespace sallyport::config {
namespace {

constexpr std::size_t longest_host = 253;  // RFC 1035 §2.3.4, as text

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// `HOST`, `HOST:PORT`, `[V6]`, `[V6]:PORT`: the host alone.
std::string_view without_port(std::string_view host) noexcept
{
    if (host.starts_with('[')) {
        const auto end = host.find(']');
        return end == std::string_view::npos ? std::string_view{} : host.substr(1, end - 1);
    }
    return host.substr(0, host.find(':'));
}

// In the one form that a URL is kept in; port 0, which is none of a URL, as it is.
std::string origin(bool tls, const std::string& authority)
{
    const std::string text = (tls ? "https://" : "http://") + authority;
    std::string ignored;
    const auto read = read_url(text, "http", "https", ignored);
    return read ? read->text() : text;
}

std::string usual_public_url(const process_settings& p)
{
    return origin(p.people_tls.has_value(), "localhost:" + std::to_string(p.people.port));
}

std::string usual_agents_url(const process_settings& p) { return origin(p.agents_tls.has_value(), p.agents.text()); }

}  // namespace

void process_settings::settle_urls()
{
    if (public_url.empty()) {
        public_url = usual_public_url(*this);
        public_host = "localhost";
    }
    if (agents_url.empty()) agents_url = usual_agents_url(*this);
}

void process_settings::bound(std::uint16_t agents_port, std::uint16_t people_port, std::uint16_t metrics_port)
{
    if (public_url == usual_public_url(*this)) public_url.clear();
    if (agents_url == usual_agents_url(*this)) agents_url.clear();
    agents.port = agents_port;
    people.port = people_port;
    metrics.port = metrics_port;
    settle_urls();
}

std::string listen_address::text() const
{
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::size_t route_table::find(const names& sorted, std::string_view name) noexcept
{
    const auto at =
        std::lower_bound(sorted.begin(), sorted.end(), name, [](const auto& entry, std::string_view n) { return entry.first < n; });
    return at != sorted.end() && at->first == name ? at->second : none;
}

route_table::route_table(const std::vector<route>& routes)
{
    const auto add = [](names& to, std::string name, std::size_t place) {
        const auto at =
            std::lower_bound(to.begin(), to.end(), name, [](const auto& entry, const std::string& n) { return entry.first < n; });
        to.insert(at, {std::move(name), place});
    };
    nodes_.emplace_back();
    for (std::size_t i = 0; i < routes.size(); ++i) {
        add(ids_, routes[i].id, i);
        if (!routes[i].host.empty()) {
            add(hosts_, routes[i].host, i);
            continue;
        }
        std::size_t at = 0;
        std::string_view rest = routes[i].prefix;
        while (rest.size() > 1) {
            const auto end = std::min(rest.find('/', 1), rest.size());
            const auto segment = rest.substr(1, end - 1);
            std::size_t next = find(nodes_[at].children, segment);
            if (next == none) {
                next = nodes_.size();
                nodes_.emplace_back();
                add(nodes_[at].children, std::string(segment), next);
            }
            at = next;
            rest.remove_prefix(end);
        }
        nodes_[at].route = i;
    }
}

std::size_t route_table::named(std::string_view id) const noexcept { return find(ids_, id); }

std::size_t route_table::by_path(std::string_view path, std::size_t& length) const noexcept
{
    length = 0;
    if (nodes_.empty() || !path.starts_with('/')) return none;
    std::size_t found = nodes_[0].route;
    for (std::size_t at = 0, begin = 0; begin < path.size();) {
        const auto end = std::min(path.find('/', begin + 1), path.size());
        at = find(nodes_[at].children, path.substr(begin + 1, end - begin - 1));
        if (at == none) break;
        if (nodes_[at].route != none) {
            found = nodes_[at].route;
            length = end;
        }
        begin = end;
    }
    return found;
}

std::size_t route_table::by_host(std::string_view host) const noexcept
{
    host = without_port(host);
    if (hosts_.empty() || host.empty() || host.size() > longest_host) return none;
    std::array<char, longest_host> small{};
    std::transform(host.begin(), host.end(), small.begin(), lower);
    return find(hosts_, {small.data(), host.size()});
}

target_options configuration::kept_by_some_route() const noexcept
{
    target_options kept;
    for (const route& r : routes) {
        kept.keep_encoded_slash = kept.keep_encoded_slash || r.keep_encoded_slash;
        kept.keep_path_parameters = kept.keep_path_parameters || r.keep_path_parameters;
    }
    return kept;
}

const route* configuration::find_route(std::string_view id) const noexcept
{
    const auto at = table.named(id);
    return at == route_table::none ? nullptr : &routes[at];
}

configuration::match configuration::match_route(std::string_view host, std::string_view path) const noexcept
{
    std::size_t length = 0;
    if (const auto at = table.by_path(path, length); at != route_table::none) return {&routes[at], path.substr(length)};
    if (const auto at = table.by_host(host); at != route_table::none) return {&routes[at], path};
    return {};
}

void configuration::index_routes()
{
    for (std::size_t i = 0; i < routes.size(); ++i) routes[i].index = i;
    table = route_table(routes);
}

std::vector<std::string_view> restart_needed(const process_settings& running, const process_settings& loaded)
{
    const auto same_address = [](const listen_address& a, const listen_address& b) { return a.host == b.host && a.port == b.port; };
    const auto same_tls = [](const std::optional<tls_files>& a, const std::optional<tls_files>& b) {
        return a.has_value() == b.has_value() && (!a || (a->certificate == b->certificate && a->key == b->key));
    };
    const auto same_secret = [](const std::optional<secret_source>& a, const std::optional<secret_source>& b) {
        return a.has_value() == b.has_value() && (!a || (a->kind == b->kind && a->env == b->env && a->file == b->file));
    };
    std::vector<std::string_view> keys;
    if (!same_address(running.agents, loaded.agents) || !same_address(running.people, loaded.people) ||
        !same_address(running.metrics, loaded.metrics))
        keys.push_back("listen");
    if (running.public_url != loaded.public_url) keys.push_back("public_url");
    if (running.agents_url != loaded.agents_url) keys.push_back("agents_url");
    if (running.database != loaded.database || !same_secret(running.database_password, loaded.database_password))
        keys.push_back("database");
    if (!same_tls(running.agents_tls, loaded.agents_tls) || !same_tls(running.people_tls, loaded.people_tls)) keys.push_back("tls");
    return keys;
}

}  // namespace sallyport::config
