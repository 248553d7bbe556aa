#include "storage/connection.hpp"

#include <algorithm>

namespace sallyport::storage {
namespace {

// RFC 3986 §2.1, for a value in the query of a libpq URI.
void append_escaped(std::string& to, std::string_view value)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
            to += c;
        } else {
            to += '%';
            to += digits[byte >> 4];
            to += digits[byte & 15];
        }
    }
}

}  // namespace

secret connection_string(std::string_view uri, const secret& password, std::chrono::seconds connect_timeout)
{
    std::string all(uri);
    const bool is_uri = uri.starts_with("postgresql://") || uri.starts_with("postgres://");
    bool first = is_uri && uri.find('?') == std::string_view::npos;
    const auto add = [&](std::string_view key, std::string_view value) {
        if (uri.find(std::string(key) + '=') != std::string_view::npos) return;
        if (is_uri) {
            all += first ? '?' : '&';
            first = false;
            all += key;
            all += '=';
            append_escaped(all, value);
        } else {
            all += ' ';
            all += key;
            all += "='";
            for (const char c : value) {
                if (c == '\'' || c == '\\') all += '\\';
                all += c;
            }
            all += '\'';
        }
    };
    add("connect_timeout", std::to_string(std::max<std::int64_t>(connect_timeout.count(), 2)));  // libpq: 2 is its least
    add("application_name", "sallyport");
    add("client_encoding", "UTF8");
    // A peer that vanished without a word is noticed within some ten seconds.
    add("keepalives_idle", "5");
    add("keepalives_interval", "2");
    add("keepalives_count", "3");
    add("tcp_user_timeout", "10000");
    if (!password.empty()) add("password", password.reveal());
    return secret(std::move(all));
}

std::unique_ptr<pqxx::connection> connect(const secret& connection_string)
{
    auto connection = std::make_unique<pqxx::connection>(std::string(connection_string.reveal()));
#include <pqxx/internal/ignore-deprecated-pre.hxx>
    connection->inhibit_reactivation(true);
#include <pqxx/internal/ignore-deprecated-post.hxx>
    // Without DETAIL, which repeats the values of the row.
    connection->set_verbosity(pqxx::connection_base::terse);
    return connection;
}

bool valid_schema(std::string_view name) noexcept
{
    if (name.empty() || name.size() > 63 || name[0] < 'a' || name[0] > 'z') return false;
    return std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

std::string words_of(const std::exception& e)
{
    std::string words = e.what();
    while (!words.empty() && (words.back() == '\n' || words.back() == ' ')) words.pop_back();
    std::replace(words.begin(), words.end(), '\n', ' ');
    return words;
}

}  // namespace sallyport::storage
