// The operator's log: JSON objects, one a line, on standard error. `error` means that we failed, `warning` that
// another did. Writing never waits for whoever reads: a queue of bounded length drops its oldest lines instead.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

namespace sallyport::log {

enum class level { debug, info, warning, error };

/// One member of the line. Text from outside is welcome: it is escaped, and cut beyond 1,000 bytes with a mark.
/// A `secret` does not convert, so none can be logged.
struct field {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, double, bool> value;

    field(std::string_view k, std::string_view v) : key(k), value(v) {}
    field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
    template <std::same_as<bool> B>
    field(std::string_view k, B v) : key(k),
                                     value(v)
    {
    }
    template <std::integral I>
    requires(!std::same_as<I, bool>) field(std::string_view k, I v) : key(k), value(static_cast<std::int64_t>(v)) {}
    field(std::string_view k, double v) : key(k), value(v) {}
};

/// Any thread. `event` says in a few words what happened, always the same for the same thing.
void write(level, std::string_view event, std::initializer_list<field> = {});

inline void info(std::string_view event, std::initializer_list<field> fields = {}) { write(level::info, event, fields); }
inline void warning(std::string_view event, std::initializer_list<field> fields = {}) { write(level::warning, event, fields); }
inline void error(std::string_view event, std::initializer_list<field> fields = {}) { write(level::error, event, fields); }

/// Writes what is still queued; called once, at the end of the program.
void flush() noexcept;

}  // namespace sallyport::log
