// The driver's side of a transaction, for the .cpp files of this folder alone: statements, parameters, rows.
#pragma once

#include "storage/transaction.hpp"
#include "workflows/ids.hpp"

#include <pqxx/pqxx>

#include <array>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace sallyport::storage {

struct transaction_state {
    pqxx::work& work;
    std::atomic<std::int64_t>& heard;  // steady clock, when the server spoke last: the watchdog reads it
    std::optional<time_point> now{};
    std::map<std::string, std::vector<std::string>, std::less<>> told{};
    // A statement failed. PostgreSQL answers a COMMIT with ROLLBACK then, and no error; so we must remember.
    bool failed = false;
};

/// A statement with a name; defined at namespace scope, prepared when a connection opens, so that a wrong one fails
/// at start. Parameters are $1, $2…
class statement {
public:
    statement(const char* name, const char* text) noexcept : name_(name), text_(text), next_(first_) { first_ = this; }
    statement(const statement&) = delete;
    statement& operator=(const statement&) = delete;

    const char* name() const noexcept { return name_; }
    const char* text() const noexcept { return text_; }
    const statement* next() const noexcept { return next_; }
    static const statement* first() noexcept { return first_; }

private:
    const char* name_;
    const char* text_;
    const statement* next_;
    static constinit inline const statement* first_ = nullptr;
};

/// Text that PostgreSQL cannot hold: becomes `invalid_input`.
class bad_text : public std::invalid_argument {
public:
    bad_text() : std::invalid_argument("text with a NUL") {}
};

/// Raw bytes as a parameter (bytea), sent as they are.
struct as_bytes {
    std::string_view value;
};

std::string sql_time(time_point);
time_point read_sql_time(std::string_view);  // throws on anything but our session's format

/// A PostgreSQL array literal, element by element.
class array_literal {
public:
    void add(std::string_view element);
    void add_null();
    void add(std::int64_t);
    void add(time_point t) { add(sql_time(t)); }
    template <class T>
    void add(const std::optional<T>& value)
    {
        if (value)
            add(*value);
        else
            add_null();
    }
    /// Letters, digits and underscores need no quotes.
    template <class Kind>
    void add(const id<Kind>& value)
    {
        value.write(plain(id<Kind>::length));
    }
    /// An empty text is stored as null.
    void add_or_null(std::string_view text)
    {
        if (text.empty())
            add_null();
        else
            add(text);
    }
    std::string text() const { return text_ + '}'; }

private:
    void separate();
    /// Room for so many characters that need no quotes.
    char* plain(std::size_t length);
    std::string text_ = "{";
};

template <std::ranges::input_range R>
std::string array_of(const R& range)
{
    array_literal literal;
    for (const auto& element : range) literal.add(element);
    return literal.text();
}

namespace detail {

// What pqxx is given: a text or null. Strings are copied by it, so ours live as long as the call.
struct text_parameter {
    std::optional<std::string> text;
    const char* value() const noexcept { return text ? text->c_str() : nullptr; }
};
struct bytes_parameter {
    pqxx::binarystring bytes;
    const pqxx::binarystring& value() const noexcept { return bytes; }
};

inline text_parameter parameter(std::nullopt_t) { return {std::nullopt}; }
inline text_parameter parameter(std::string_view text)
{
    // The driver would cut the text there, and so store another one than was judged.
    if (text.find('\0') != std::string_view::npos) throw bad_text();
    return {std::string(text)};
}
template <std::integral I>
requires(!std::is_same_v<I, bool>) text_parameter parameter(I number) { return {std::to_string(number)}; }
// A template, so that no pointer becomes a truth.
template <std::same_as<bool> B>
text_parameter parameter(B flag)
{
    return {flag ? "t" : "f"};
}
inline text_parameter parameter(time_point t) { return {sql_time(t)}; }
template <class Kind>
text_parameter parameter(const id<Kind>& i)
{
    return {i.text()};
}
template <class T>
text_parameter parameter(const std::optional<T>& value)
{
    return value ? parameter(*value) : text_parameter{std::nullopt};
}
inline bytes_parameter parameter(const as_bytes& b) { return {pqxx::binarystring(b.value.data(), b.value.size())}; }

void heard(transaction_state&) noexcept;

}  // namespace detail

/// For text columns in which nothing is null.
inline std::optional<std::string_view> or_null(std::string_view text) { return text.empty() ? std::nullopt : std::optional(text); }

/// Runs a prepared statement. Throws what the driver throws.
template <class... Parameters>
pqxx::result run(transaction& tx, const statement& what, const Parameters&... parameters)
{
    transaction_state& state = tx.state();
    // Until it has succeeded, it has failed.
    state.failed = true;
    pqxx::result rows = [&](const auto&... holders) {
        return state.work.exec_prepared(what.name(), holders.value()...);
    }(detail::parameter(parameters)...);
    state.failed = false;
    detail::heard(state);
    return rows;
}

/// How many rows it changed.
template <class... Parameters>
std::size_t change(transaction& tx, const statement& what, const Parameters&... parameters)
{
    return run(tx, what, parameters...).affected_rows();
}

/// The columns of a row, in their order.
class reader {
public:
    explicit reader(const pqxx::row& row) : row_(row) {}

    bool null() const { return row_[at_].is_null(); }
    void skip() { ++at_; }
    std::string text() { return std::string(view()); }
    std::string text_or_empty() { return null() ? (skip(), std::string()) : text(); }
    std::int64_t number() { return next().as<std::int64_t>(); }
    bool flag() { return next().as<bool>(); }
    time_point time() { return read_sql_time(view()); }
    std::string bytes();
    std::string bytes_or_empty() { return null() ? (skip(), std::string()) : bytes(); }
    std::vector<std::string> texts();
    template <class Id>
    Id id()
    {
        const auto read = Id::parse(view());
        if (!read) throw std::runtime_error("not an id of its kind in the database");
        return *read;
    }
    template <class Id>
    std::optional<Id> maybe_id()
    {
        if (null()) return skip(), std::nullopt;
        return id<Id>();
    }
    std::optional<time_point> maybe_time()
    {
        if (null()) return skip(), std::nullopt;
        return time();
    }
    std::optional<std::int64_t> maybe_number()
    {
        if (null()) return skip(), std::nullopt;
        return number();
    }
    /// By one of the vocabulary's `…_named` functions.
    template <class Named>
    auto named(Named find)
    {
        const auto read = find(view());
        if (!read) throw std::runtime_error("a word in the database is not of our vocabulary");
        return *read;
    }
    /// Seldom: the text of a column as the driver holds it, good while the row is.
    std::string_view view();

private:
    pqxx::field next() { return row_[at_++]; }
    const pqxx::row& row_;
    pqxx::row::size_type at_ = 0;
};

/// The first column of the only row, read by `of`; none without a row.
template <class Of>
auto first_row(const pqxx::result& rows, Of of) -> std::optional<decltype(of(std::declval<reader&>()))>
{
    if (rows.empty()) return std::nullopt;
    const pqxx::row row = rows[0];
    reader read(row);
    return of(read);
}

template <class Of>
auto all_rows(const pqxx::result& rows, Of of)
{
    std::vector<decltype(of(std::declval<reader&>()))> all;
    all.reserve(rows.size());
    for (const pqxx::row row : rows) {
        reader read(row);
        all.push_back(of(read));
    }
    return all;
}

}  // namespace sallyport::storage
