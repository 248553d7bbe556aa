#include "gateway/log/log.hpp"

#include "workflows/time.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>

namespace sallyport::log {
namespace {

constexpr std::size_t queue_lines = 8192;
constexpr std::size_t longest_value = 1000;

spdlog::async_logger& sink()
{
    static const auto pool = std::make_shared<spdlog::details::thread_pool>(queue_lines, 1);
    static const auto logger = [] {
        auto made = std::make_shared<spdlog::async_logger>("sallyport", std::make_shared<spdlog::sinks::stderr_sink_mt>(), pool,
                                                           spdlog::async_overflow_policy::overrun_oldest);
        made->set_pattern("%v");
        made->flush_on(spdlog::level::info);
        return made;
    }();
    return *logger;
}

std::string_view name_of(level l)
{
    switch (l) {
    case level::debug: return "debug";
    case level::info: return "info";
    case level::warning: return "warning";
    case level::error: return "error";
    }
    return "error";
}

// The length of the well-formed UTF-8 sequence at `at`, 0 if there is none.
std::size_t sequence(std::string_view text, std::size_t at)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(at);
    const std::size_t length = first < 0x80                    ? 1
                               : first >= 0xC2 && first < 0xE0 ? 2
                               : first >= 0xE0 && first < 0xF0 ? 3
                               : first >= 0xF0 && first < 0xF5 ? 4
                                                               : 0;
    if (length == 0 || at + length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(at + i) & 0xC0) != 0x80) return 0;
    if (length == 3 && ((first == 0xE0 && byte(at + 1) < 0xA0) || (first == 0xED && byte(at + 1) > 0x9F))) return 0;
    if (length == 4 && ((first == 0xF0 && byte(at + 1) < 0x90) || (first == 0xF4 && byte(at + 1) > 0x8F))) return 0;
    return length;
}

void append_text(std::string& line, std::string_view text)
{
    const bool cut = text.size() > longest_value;
    if (cut) text = text.substr(0, longest_value);
    line += '"';
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        const std::size_t length = sequence(text, i);
        if (length == 0) {
            line += "\\ufffd";
            ++i;
        } else if (length > 1) {
            line.append(text, i, length);
            i += length;
        } else {
            if (c == '"' || c == '\\') {
                line += '\\';
                line += c;
            } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
                constexpr std::string_view digits = "0123456789abcdef";
                line += "\\u00";
                line += digits[static_cast<std::size_t>(c >> 4)];
                line += digits[static_cast<std::size_t>(c & 15)];
            } else {
                line += c;
            }
            ++i;
        }
    }
    if (cut) line += "…";
    line += '"';
}

struct append_value {
    std::string& line;

    void operator()(std::string_view text) const { append_text(line, text); }
    void operator()(bool value) const { line += value ? "true" : "false"; }
    void operator()(std::int64_t value) const { line += std::to_string(value); }
    void operator()(double value) const
    {
        if (!std::isfinite(value)) {
            line += "null";
            return;
        }
        std::array<char, 32> text;
        const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
        line.append(text.data(), end);
    }
};

}  // namespace

void write(level l, std::string_view event, std::initializer_list<field> fields)
{
    // The one place that reads the clock for a log line; nothing is decided by it.
    const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    std::string line = "{\"at\":\"" + format_rfc3339(now) + "\",\"level\":\"" + std::string(name_of(l)) + "\",\"event\":";
    append_text(line, event);
    for (const field& f : fields) {
        line += ',';
        append_text(line, f.key);
        line += ':';
        std::visit(append_value{line}, f.value);
    }
    line += '}';
    sink().info(spdlog::string_view_t(line.data(), line.size()));
}

void flush() noexcept
{
    try {
        sink().flush();
    } catch (...) {
        // There is nowhere left to say it.
    }
}

}  // namespace sallyport::log
