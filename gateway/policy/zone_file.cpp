#include "gateway/policy/zone_file.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace sallyport::policy {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t largest_file = 256 * 1024;
constexpr std::int64_t earliest = -62'135'596'800;  // 0001-01-01

// RFC 8536 §3.2.
bool is_offset(std::chrono::seconds s) noexcept { return s >= -25h && s <= 26h; }

// The rule at the end of a file: POSIX TZ, as RFC 8536 §3.3.1 extends it.
class footer_reader {
public:
    explicit footer_reader(std::string_view text) : text_(text) {}

    std::optional<time_zone::rule> read()
    {
        time_zone::rule r;
        if (!name() || !clock(r.standard)) return std::nullopt;
        r.standard = -r.standard;  // POSIX counts westward
        if (!is_offset(r.standard)) return std::nullopt;
        if (text_.empty()) return r;
        if (!name()) return std::nullopt;
        time_zone::summer_time summer;
        summer.offset = r.standard + 1h;
        if (!text_.empty() && text_.front() != ',') {
            if (!clock(summer.offset)) return std::nullopt;
            summer.offset = -summer.offset;
        }
        if (!is_offset(summer.offset)) return std::nullopt;
        if (!take(',') || !date(summer.begins) || !take(',') || !date(summer.ends) || !text_.empty()) return std::nullopt;
        r.summer = summer;
        return r;
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

    bool clock(std::chrono::seconds& time)
    {
        const bool negative = take('-');
        if (!negative) take('+');
        int h = 0, m = 0, s = 0;
        if (!number(h)) return false;
        if (take(':') && !number(m)) return false;
        if (take(':') && !number(s)) return false;
        if (h > 167 || m > 59 || s > 59) return false;
        time = std::chrono::seconds{(negative ? -1 : 1) * (h * 3600 + m * 60 + s)};
        return true;
    }

    bool date(time_zone::yearly& y)
    {
        if (take('M')) {
            if (!number(y.month) || !take('.') || !number(y.week) || !take('.') || !number(y.day)) return false;
            if (y.month < 1 || y.month > 12 || y.week < 1 || y.week > 5 || y.day > 6) return false;
        } else {
            y.form = take('J') ? time_zone::yearly::form::julian : time_zone::yearly::form::day;
            if (!number(y.day) || y.day > 365) return false;
        }
        return !take('/') || clock(y.time);
    }

    std::string_view text_;
};

// The file: RFC 8536 §3.
class file_reader {
public:
    explicit file_reader(std::string_view bytes) : bytes_(bytes) {}

    std::shared_ptr<const time_zone> read(std::string name)
    {
        const auto old = header();  // of the block for 32 bits, which is passed over
        if (!old || old->version < '2' || !skip(old->size(4))) return nullptr;
        const auto whole = header();
        if (!whole || bytes_.size() < whole->size(8)) return nullptr;
        if (!block(*whole)) return nullptr;
        std::optional<time_zone::rule> after;
        if (bytes_.size() > 2 && bytes_.front() == '\n' && bytes_.back() == '\n') {
            after = footer_reader(bytes_.substr(1, bytes_.size() - 2)).read();
            if (!after) return nullptr;
        }
        return std::make_shared<const time_zone>(std::move(name), before_, std::move(transitions_), after);
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

    bool block(const counts& c)
    {
        if (c.types == 0) return false;
        std::vector<std::int64_t> instants;
        for (std::size_t i = 0; i < c.changes; ++i) instants.push_back(static_cast<std::int64_t>(number(8)));
        if (!std::ranges::is_sorted(instants)) return false;
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < c.changes; ++i) places.push_back(number(1));
        std::vector<std::chrono::seconds> offsets;
        for (std::size_t i = 0; i < c.types; ++i) {
            offsets.emplace_back(static_cast<std::int32_t>(static_cast<std::uint32_t>(number(4))));
            if (!is_offset(offsets.back())) return false;
            number(2);
        }
        for (std::size_t i = 0; i < c.changes; ++i) {
            if (places[i] >= offsets.size()) return false;
            // The beginning of time, as some write it, is no day of a calendar.
            const auto at = std::max(instants[i], earliest);
            transitions_.push_back({std::chrono::sys_seconds{std::chrono::seconds{at}}, offsets[places[i]]});
        }
        before_ = offsets.front();
        return skip(c.names + c.leaps * 12 + c.standard + c.utc);
    }

    std::string_view bytes_;
    std::chrono::seconds before_{};
    std::vector<time_zone::transition> transitions_;
};

// Names come from rules and, through them, from bodies: nothing that leads out of the database's directory.
bool plausible(std::string_view name) noexcept
{
    if (name.empty() || name.size() > 64 || !((name[0] >= 'A' && name[0] <= 'Z') || (name[0] >= 'a' && name[0] <= 'z'))) return false;
    return std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+' || c == '/';
    });
}

std::shared_ptr<const time_zone> load(const std::string& name)
{
    for (const char* directory : {"/usr/share/zoneinfo/", "/usr/lib/zoneinfo/", "/etc/zoneinfo/"}) {
        std::ifstream file(directory + name, std::ios::binary);
        if (!file) continue;
        std::string bytes;
        std::array<char, 4096> part{};
        while (bytes.size() <= largest_file && (file.read(part.data(), part.size()), file.gcount() > 0))
            bytes.append(part.data(), static_cast<std::size_t>(file.gcount()));
        return parse_zone(name, bytes);
    }
    return nullptr;
}

}  // namespace

std::shared_ptr<const time_zone> parse_zone(std::string name, std::string_view bytes) { return file_reader(bytes).read(std::move(name)); }

std::shared_ptr<const time_zone> find_zone(std::string_view name)
{
    if (!plausible(name)) return nullptr;
    static std::mutex guard;
    static std::map<std::string, std::shared_ptr<const time_zone>, std::less<>> known;
    const std::lock_guard lock(guard);
    if (const auto found = known.find(name); found != known.end()) return found->second;
    std::string key(name);
    auto zone = load(key);
    if (zone) known.emplace(std::move(key), zone);  // only real ones, of which there are some six hundred
    return zone;
}

}  // namespace sallyport::policy
