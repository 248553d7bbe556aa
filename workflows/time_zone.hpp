// A time zone as a value: at which instants its offset from UTC changes, and by which rule it goes on behind the last one
// that is listed. Pure; whoever makes one has read it somewhere (gateway/policy/zone_file.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

class time_zone {
public:
    /// From that instant on the clocks show UTC + offset.
    struct transition {
        std::chrono::sys_seconds at;
        std::chrono::seconds offset;
    };
    /// When summer time begins or ends, in every year (POSIX TZ, as RFC 8536 §3.3.1 extends it).
    struct yearly {
        enum class form : std::uint8_t { julian, day, month } form = form::month;
        int day = 0, month = 0, week = 0;  // form month: weekday `day` of `week` (5: the last) of `month`
        std::chrono::seconds time{7200};   // after midnight of the clocks until then; may be negative
    };
    struct summer_time {
        std::chrono::seconds offset{};
        yearly begins, ends;
    };
    /// What holds behind the last transition.
    struct rule {
        std::chrono::seconds standard{};
        std::optional<summer_time> summer;
    };

    time_zone() = default;  // UTC
    /// `transitions` in order of time; `before` is the offset before the first. Without a rule the last offset stays.
    time_zone(std::string name, std::chrono::seconds before, std::vector<transition> transitions, std::optional<rule> after);

    const std::string& name() const noexcept { return name_; }

    std::chrono::seconds offset_at(std::chrono::sys_seconds) const noexcept;
    /// What the clock on the wall shows.
    std::chrono::local_seconds to_local(std::chrono::sys_seconds) const noexcept;
    /// The instant at which the clock on the wall shows that: of two (clocks were set back) the first; where there is none
    /// (they were set forward) the one at which they would have shown it, had nobody touched them.
    std::chrono::sys_seconds to_instant(std::chrono::local_seconds) const noexcept;
    /// When the offset may change next, later than that; none: never.
    std::optional<std::chrono::sys_seconds> next_change(std::chrono::sys_seconds after) const noexcept;

private:
    std::string name_ = "UTC";
    std::chrono::seconds before_{};
    std::vector<transition> transitions_;
    std::optional<rule> after_;
};

}  // namespace sallyport
