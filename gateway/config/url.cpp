#include "gateway/config/url.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <charconv>

namespace sallyport::config {
namespace {

bool digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool unreserved(char c) noexcept { return alpha(c) || digit(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

int hex_value(char c) noexcept
{
    if (digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The byte that `%XY` at the front stands for.
std::optional<char> escaped(std::string_view text) noexcept
{
    if (text.size() < 3 || text[0] != '%' || hex_value(text[1]) < 0 || hex_value(text[2]) < 0) return std::nullopt;
    return static_cast<char>(hex_value(text[1]) * 16 + hex_value(text[2]));
}

std::string lower(std::string_view text)
{
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return result;
}

std::optional<std::uint16_t> port_number(std::string_view text) noexcept
{
    std::uint16_t port = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (text.empty() || failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return port;
}

std::uint16_t default_port(std::string_view scheme) noexcept
{
    if (scheme == "https") return 443;
    if (scheme == "smtps") return 465;
    return scheme == "smtp" ? 587 : 80;
}

std::string wrong_with_segment(std::string_view segment)
{
    if (segment.empty()) return "has an empty segment";
    if (segment == "." || segment == "..") return "has a `.` or `..` segment";
    for (std::size_t i = 0; i < segment.size(); ++i) {
        const char c = segment[i];
        if (c == '%') {
            const auto byte = escaped(segment.substr(i));
            if (!byte) return "has a broken escape";
            if (unreserved(*byte)) return "escapes a character that needs no escape";
            if (*byte == '/' || *byte == '\\' || *byte == '\0' || *byte == ';') return "has an escape that is refused in every call";
            if ((segment[i + 1] >= 'a' && segment[i + 1] <= 'f') || (segment[i + 2] >= 'a' && segment[i + 2] <= 'f'))
                return "has an escape in lower case";
            i += 2;
            continue;
        }
        if (!unreserved(c) && std::string_view("!$&'()*+,=:@").find(c) == std::string_view::npos)
            return "has a character that cannot be in a path";
    }
    return {};
}

}  // namespace

std::string wrong_with_path(std::string_view path)
{
    if (!path.starts_with('/')) return "must begin with `/`";
    if (path.ends_with('/')) return "must not end with `/`";
    while (!path.empty()) {
        path.remove_prefix(1);
        const auto end = std::min(path.find('/'), path.size());
        if (auto wrong = wrong_with_segment(path.substr(0, end)); !wrong.empty()) return wrong;
        path.remove_prefix(end);
    }
    return {};
}

std::optional<url> read_url(std::string_view text, std::string_view scheme, std::string_view tls_scheme, std::string& wrong)
{
    const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
    if (!parsed || !parsed->has_authority()) {
        wrong = "must be a URL such as " + std::string(tls_scheme) + "://host.example";
        return std::nullopt;
    }
    const boost::urls::url_view& u = *parsed;
    url result;
    result.scheme = lower({u.scheme().data(), u.scheme().size()});
    const auto refuse = [&](std::string why) {
        wrong = std::move(why);
        return std::nullopt;
    };
    if (result.scheme != scheme && result.scheme != tls_scheme)
        return refuse("must begin with " + std::string(scheme) + ":// or " + std::string(tls_scheme) + "://");
    if (u.has_userinfo()) return refuse("must not have a user or password in it");
    if (u.has_query() || u.has_fragment()) return refuse("must not have a query or fragment");

    const auto host = u.encoded_host_address();
    result.host = lower({host.data(), host.size()});
    const auto type = u.host_type();
    const bool v6 = type == boost::urls::host_type::ipv6;
    result.address = v6 || type == boost::urls::host_type::ipv4;
    if (result.host.empty()) return refuse("needs a host");
    if (!v6)
        if (auto host_wrong = wrong_with_host(result.host); !host_wrong.empty()) return refuse("has a host that " + host_wrong);

    result.port = default_port(result.scheme);
    if (u.has_port()) {
        const auto port = port_number({u.port().data(), u.port().size()});
        if (!port || *port == 0) return refuse("has a port that is not 1 to 65535");
        result.port = *port;
    }
    result.authority = v6 ? "[" + result.host + "]" : result.host;
    if (result.port != default_port(result.scheme)) result.authority += ":" + std::to_string(result.port);

    result.path.assign(u.encoded_path().data(), u.encoded_path().size());
    if (result.path.ends_with('/')) result.path.pop_back();
    if (!result.path.empty())
        if (auto path_wrong = wrong_with_path(result.path); !path_wrong.empty()) return refuse("has a path that " + path_wrong);
    return result;
}

std::string wrong_with_database(std::string_view uri)
{
    if (uri.starts_with("postgresql://"))
        uri.remove_prefix(13);
    else if (uri.starts_with("postgres://"))
        uri.remove_prefix(11);
    else
        return "must be a URI such as postgresql://user@host/database";

    for (std::size_t i = 0; i < uri.size(); ++i) {
        const auto c = static_cast<unsigned char>(uri[i]);
        if (c <= 0x20 || c >= 0x7F) return "has a character that must be escaped";
        if (c == '%' && (!escaped(uri.substr(i)) || *escaped(uri.substr(i)) == '\0')) return "has a broken escape";
    }
    // libpq takes what stands before the first `@` that no slash precedes for the user, and a `:` there begins a password.
    const auto authority = uri.substr(0, uri.find_first_of("/?"));
    const auto at = authority.find('@');
    if (at != std::string_view::npos && authority.substr(0, at).find(':') != std::string_view::npos)
        return "must not have a password in it; use PGPASSFILE, or `password: { file: PATH }`";
    const auto query = uri.find('?');
    auto rest = query == std::string_view::npos ? std::string_view{} : uri.substr(query + 1);
    while (!rest.empty()) {
        const auto end = std::min(rest.find('&'), rest.size());
        const auto parameter = rest.substr(0, end);
        std::string name;  // libpq resolves escapes in names too
        for (std::size_t i = 0; i < parameter.size() && parameter[i] != '='; ++i) {
            const auto byte = escaped(parameter.substr(i));
            name += byte ? *byte : parameter[i];
            if (byte) i += 2;
        }
        if (name == "password" || name == "sslpassword")
            return "must not have a password in it; use PGPASSFILE, or `password: { file: PATH }`";
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return {};
}

std::string wrong_with_host(std::string_view host)
{
    if (host.size() > 253) return "is longer than 253 characters";
    while (true) {
        const auto end = std::min(host.find('.'), host.size());
        const auto label = host.substr(0, end);
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-' ||
            !std::all_of(label.begin(), label.end(), [](char c) { return alpha(c) || digit(c) || c == '-' || c == '_'; }))
            return "is no host name";
        if (end == host.size()) return {};
        host.remove_prefix(end + 1);
    }
}

std::optional<listen_address> read_listen_address(std::string_view text)
{
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto port = port_number(text.substr(colon + 1));
    auto host = text.substr(0, colon);
    if (!port) return std::nullopt;
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
        // Boost.URL knows what an IPv6 address looks like.
        const std::string probe = "x://[" + std::string(host) + "]";
        const auto parsed = boost::urls::parse_uri(probe);
        if (!parsed || parsed->host_type() != boost::urls::host_type::ipv6) return std::nullopt;
    } else if (!wrong_with_host(host).empty()) {
        return std::nullopt;
    }
    return listen_address{lower(host), *port};
}

}  // namespace sallyport::config
