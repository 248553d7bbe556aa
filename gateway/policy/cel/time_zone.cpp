#include "gateway/policy/cel/time_zone.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace sallyport::policy::cel {
namespace {

constexpr std::size_t largest_file = 256 * 1024;
constexpr std::int32_t seconds_per_day = 86'400;

// --- the rule at the end of a file: POSIX TZ, as RFC 8536 §3.3.1 extends it ----------------------------------------

/// When summer time begins or ends, in every year.
struct yearly {
    enum class form { julian, day, month } form = form::month;
    int day = 0, month = 0, week = 0;  // month form: weekday `day` of `week` of `month`
    std::int32_t time = 7200;          // seconds after local midnight, may be negative
};

struct footer {
    std::int32_t standard = 0, summer = 0;
    bool has_summer = false;
    yearly begins, ends;
};

class footer_reader {
public:
    explicit footer_reader(std::string_view text) : text_(text) {}

    std::optional<footer> read()
    {
        footer f;
        if (!name() || !clock(f.standard)) return std::nullopt;
        f.standard = -f.standard;  // POSIX counts westward
        if (text_.empty()) return f;
        f.has_summer = true;
        if (!name()) return std::nullopt;
        f.summer = f.standard + 3600;
        if (!text_.empty() && text_.front() != ',') {
            if (!clock(f.summer)) return std::nullopt;
            f.summer = -f.summer;
        }
        if (!take(',') || !date(f.begins) || !take(',') || !date(f.ends) || !text_.empty()) return std::nullopt;
        return f;
    }

private:
    bool take(char c)
    {
        if (text_.empty() || text_.front() != c) return false;
        text_.remove_prefix(1);
        return true;
    }

    bool name()
    {
        if (take('<')) {
            const std::size_t end = text_.find('>');
            if (end == std::string_view::npos) return false;
            text_.remove_prefix(end + 1);
            return true;
        }
        const std::size_t end = std::min(text_.find_first_of("+-0123456789,"), text_.size());
        text_.remove_prefix(end);
        return end >= 3;
    }

    bool number(int& out)
    {
        std::size_t digits = 0;
        out = 0;
        for (; digits < text_.size() && digits < 4 && text_[digits] >= '0' && text_[digits] <= '9'; ++digits)
            out = out * 10 + (text_[digits] - '0');
        text_.remove_prefix(digits);
        return digits > 0;
    }

    bool clock(std::int32_t& seconds)
    {
        const bool negative = take('-');
        if (!negative) take('+');
        int h = 0, m = 0, s = 0;
        if (!number(h)) return false;
        if (take(':') && !number(m)) return false;
        if (take(':') && !number(s)) return false;
        if (h > 167 || m > 59 || s > 59) return false;
        seconds = (negative ? -1 : 1) * (h * 3600 + m * 60 + s);
        return true;
    }

    bool date(yearly& y)
    {
        if (take('M')) {
            if (!number(y.month) || !take('.') || !number(y.week) || !take('.') || !number(y.day)) return false;
            if (y.month < 1 || y.month > 12 || y.week < 1 || y.week > 5 || y.day > 6) return false;
        } else {
            y.form = take('J') ? yearly::form::julian : yearly::form::day;
            if (!number(y.day) || y.day > 365) return false;
        }
        return !take('/') || clock(y.time);
    }

    std::string_view text_;
};

// Days since 1970 of that date in that year.
std::int64_t day_of(const yearly& y, std::chrono::year year) noexcept
{
    using namespace std::chrono;
    const sys_days january{year / January / 1};
    switch (y.form) {
    case yearly::form::julian: {
        const bool after_leap_day = year.is_leap() && y.day >= 60;
        return (january + days{y.day - 1 + (after_leap_day ? 1 : 0)}).time_since_epoch().count();
    }
    case yearly::form::day: return (january + days{y.day}).time_since_epoch().count();
    case yearly::form::month: {
        const auto m = month{static_cast<unsigned>(y.month)};
        const weekday wanted{static_cast<unsigned>(y.day)};
        const sys_days found = y.week == 5 ? sys_days{year / m / weekday_last{wanted}}
                                           : sys_days{year / m / weekday_indexed{wanted, static_cast<unsigned>(y.week)}};
        return found.time_since_epoch().count();
    }
    }
    return 0;
}

std::int32_t offset_by(const footer& f, std::int64_t at) noexcept
{
    if (!f.has_summer) return f.standard;
    const std::chrono::sys_seconds instant{std::chrono::seconds{at + f.standard}};
    const auto year = std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(instant)}.year();
    const std::int64_t begins = day_of(f.begins, year) * seconds_per_day + f.begins.time - f.standard;
    const std::int64_t ends = day_of(f.ends, year) * seconds_per_day + f.ends.time - f.summer;
    const bool summer = begins < ends ? at >= begins && at < ends : at >= begins || at < ends;
    return summer ? f.summer : f.standard;
}

}  // namespace

struct time_zone::data {
    std::vector<std::int64_t> changes;  // instants, in order
    std::vector<std::int32_t> offsets;  // from that instant on
    std::int32_t before = 0;            // before the first
    std::optional<footer> after;        // after the last
};

namespace {

// --- the file: RFC 8536 §3 -------------------------------------------------------------------------------------------

class file_reader {
public:
    explicit file_reader(std::string_view bytes) : bytes_(bytes) {}

    std::shared_ptr<const time_zone::data> read()
    {
        const auto old = header();  // of the block for 32 bits, which is passed over
        if (!old || old->version < '2' || !skip(old->size(4))) return nullptr;
        const auto whole = header();
        if (!whole || bytes_.size() < whole->size(8)) return nullptr;
        auto zone = std::make_shared<time_zone::data>();
        if (!block(*whole, *zone)) return nullptr;
        if (bytes_.size() >= 2 && bytes_.front() == '\n' && bytes_.back() == '\n' && bytes_.size() > 2) {
            zone->after = footer_reader(bytes_.substr(1, bytes_.size() - 2)).read();
            if (!zone->after) return nullptr;
        }
        return zone;
    }

private:
    struct counts {
        char version = 0;
        std::size_t utc = 0, standard = 0, leaps = 0, changes = 0, types = 0, names = 0;
        std::size_t size(std::size_t time) const noexcept
        {
            return changes * time + changes + types * 6 + names + leaps * (time + 4) + standard + utc;
        }
    };

    bool skip(std::size_t n)
    {
        if (bytes_.size() < n) return false;
        bytes_.remove_prefix(n);
        return true;
    }

    std::uint64_t number(std::size_t size)
    {
        std::uint64_t n = 0;
        for (std::size_t i = 0; i < size; ++i) n = (n << 8) | static_cast<std::uint8_t>(bytes_[i]);
        bytes_.remove_prefix(size);
        return n;
    }

    std::optional<counts> header()
    {
        if (bytes_.size() < 44 || !bytes_.starts_with("TZif")) return std::nullopt;
        counts c;
        c.version = bytes_[4];
        bytes_.remove_prefix(20);
        for (std::size_t* n : {&c.utc, &c.standard, &c.leaps, &c.changes, &c.types, &c.names}) {
            *n = number(4);
            if (*n > largest_file) return std::nullopt;
        }
        return c;
    }

    bool block(const counts& c, time_zone::data& zone)
    {
        if (c.types == 0) return false;
        for (std::size_t i = 0; i < c.changes; ++i) zone.changes.push_back(static_cast<std::int64_t>(number(8)));
        if (!std::ranges::is_sorted(zone.changes)) return false;
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < c.changes; ++i) places.push_back(number(1));
        std::vector<std::int32_t> offsets;
        for (std::size_t i = 0; i < c.types; ++i) {
            offsets.push_back(static_cast<std::int32_t>(static_cast<std::uint32_t>(number(4))));
            number(2);
        }
        for (const std::size_t place : places) {
            if (place >= offsets.size()) return false;
            zone.offsets.push_back(offsets[place]);
        }
        zone.before = offsets.front();
        return skip(c.names + c.leaps * 12 + c.standard + c.utc);
    }

    std::string_view bytes_;
};

// Names come from rules and, through them, from bodies: nothing that leads out of the database's directory.
bool plausible(std::string_view name) noexcept
{
    if (name.empty() || name.size() > 64 || !((name[0] >= 'A' && name[0] <= 'Z') || (name[0] >= 'a' && name[0] <= 'z'))) return false;
    return std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+' || c == '/';
    });
}

std::shared_ptr<const time_zone::data> load(const std::string& name)
{
    for (const char* directory : {"/usr/share/zoneinfo/", "/usr/lib/zoneinfo/", "/etc/zoneinfo/"}) {
        std::ifstream file(directory + name, std::ios::binary);
        if (!file) continue;
        std::string bytes;
        std::array<char, 4096> part{};
        while (bytes.size() <= largest_file && (file.read(part.data(), part.size()), file.gcount() > 0))
            bytes.append(part.data(), static_cast<std::size_t>(file.gcount()));
        return file_reader(bytes).read();
    }
    return nullptr;
}

std::shared_ptr<const time_zone::data> cached(std::string_view name)
{
    static std::mutex guard;
    static std::map<std::string, std::shared_ptr<const time_zone::data>, std::less<>> known;
    const std::lock_guard lock(guard);
    if (const auto found = known.find(name); found != known.end()) return found->second;
    std::string key(name);
    auto zone = load(key);
    if (zone) known.emplace(std::move(key), zone);  // only real ones, of which there are some six hundred
    return zone;
}

std::optional<std::int32_t> fixed_offset(std::string_view text) noexcept
{
    const bool west = text.starts_with('-');
    if (west || text.starts_with('+')) text.remove_prefix(1);
    const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
    if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) return std::nullopt;
    const int hours = (text[0] - '0') * 10 + (text[1] - '0'), minutes = (text[3] - '0') * 10 + (text[4] - '0');
    if (hours > 23 || minutes > 59) return std::nullopt;
    return (west ? -1 : 1) * (hours * 3600 + minutes * 60);
}

}  // namespace

std::optional<time_zone> time_zone::find(std::string_view name)
{
    time_zone zone;
    if (name == "UTC" || name == "Z") return zone;
    if (const auto fixed = fixed_offset(name)) {
        zone.fixed_ = *fixed;
        return zone;
    }
    if (!plausible(name)) return std::nullopt;
    zone.data_ = cached(name);
    if (!zone.data_) return std::nullopt;
    return zone;
}

std::int32_t time_zone::offset_at(std::int64_t seconds) const noexcept
{
    if (!data_) return fixed_;
    const auto next = std::ranges::upper_bound(data_->changes, seconds);
    if (next == data_->changes.begin() && next != data_->changes.end()) return data_->before;
    if (next == data_->changes.end() && data_->after) return offset_by(*data_->after, seconds);
    if (next == data_->changes.begin()) return data_->before;
    return data_->offsets[static_cast<std::size_t>(next - data_->changes.begin()) - 1];
}

}  // namespace sallyport::policy::cel
