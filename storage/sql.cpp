#include "storage/sql.hpp"

#include "workflows/utc_text.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace sallyport::storage {
namespace {

const statement read_clock{"read_clock", "SELECT statement_timestamp()"};

bool digits(std::string_view text, std::size_t at, std::size_t count, int& value)
{
    value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        if (i >= text.size() || text[i] < '0' || text[i] > '9') return false;
        value = value * 10 + (text[i] - '0');
    }
    return true;
}

}  // namespace

std::string sql_time(time_point t)
{
    std::string text(utc_text(t, ' ').microseconds());
    text += "+00";
    return text;
}

time_point read_sql_time(std::string_view text)
{
    // `2026-01-05 09:00:00[.123456]+00`: DateStyle ISO and TimeZone UTC, as connect() sets them.
    using namespace std::chrono;
    int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
    if (text.size() < 22 || !digits(text, 0, 4, y) || text[4] != '-' || !digits(text, 5, 2, mo) || text[7] != '-' ||
        !digits(text, 8, 2, d) || text[10] != ' ' || !digits(text, 11, 2, h) || text[13] != ':' || !digits(text, 14, 2, mi) ||
        text[16] != ':' || !digits(text, 17, 2, s) || !text.ends_with("+00"))
        throw std::runtime_error("not a time of our session's format in the database");
    std::int64_t fraction = 0;
    auto rest = text.substr(19, text.size() - 22);
    if (!rest.empty()) {
        if (rest.front() != '.' || rest.size() > 7) throw std::runtime_error("not a time of our session's format in the database");
        std::int64_t place = 100'000;
        for (const char c : rest.substr(1)) {
            fraction += place * (c - '0');
            place /= 10;
        }
    }
    const year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
    return time_point{sys_days{date}} + hours{h} + minutes{mi} + seconds{s} + microseconds{fraction};
}

void array_literal::separate()
{
    if (text_.size() > 1) text_ += ',';
}

void array_literal::add(std::string_view element)
{
    if (element.find('\0') != std::string_view::npos) throw bad_text();
    separate();
    text_ += '"';
    while (!element.empty()) {
        const std::size_t plain = std::min(element.find_first_of("\"\\"), element.size());
        text_ += element.substr(0, plain);
        element.remove_prefix(plain);
        if (element.empty()) break;
        text_ += '\\';
        text_ += element.front();
        element.remove_prefix(1);
    }
    text_ += '"';
}

void array_literal::add_null()
{
    separate();
    text_ += "NULL";
}

char* array_literal::plain(std::size_t length)
{
    separate();
    const auto at = text_.size();
    text_.resize(at + length);
    return text_.data() + at;
}

void array_literal::add(std::int64_t number)
{
    separate();
    text_ += std::to_string(number);
}

std::string_view reader::view()
{
    const pqxx::field field = row_[at_++];
    if (field.is_null()) throw std::runtime_error("a null in the database where none may be");
    return {field.c_str(), field.size()};  // the result's own memory, which the row keeps
}

std::string reader::bytes()
{
    const auto hex = view();
    if (!hex.starts_with("\\x") || hex.size() % 2 != 0) throw std::runtime_error("bytes of the database that are not in hex form");
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string bytes(hex.size() / 2 - 1, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(digit(hex[2 * i + 2]) << 4 | digit(hex[2 * i + 3]));
    return bytes;
}

std::vector<std::string> reader::texts()
{
    const pqxx::field field = next();
    std::vector<std::string> all;
    auto parser = field.as_array();
    for (auto [what, element] = parser.get_next(); what != pqxx::array_parser::done; std::tie(what, element) = parser.get_next())
        if (what == pqxx::array_parser::string_value) all.push_back(std::move(element));
    return all;
}

void detail::heard(transaction_state& state) noexcept
{
    state.heard.store(std::chrono::steady_clock::now().time_since_epoch().count(), std::memory_order_relaxed);
}

time_point transaction::now()
{
    if (!state_.now) {
        const auto rows = run(*this, read_clock);
        const pqxx::row row = rows[0];
        state_.now = reader(row).time();
    }
    return *state_.now;
}

void transaction::notify(std::string_view channel, std::string_view word)
{
    auto& words = state_.told.try_emplace(std::string(channel)).first->second;
    for (const auto& told : words)
        if (told == word) return;
    words.emplace_back(word);
}

}  // namespace sallyport::storage
