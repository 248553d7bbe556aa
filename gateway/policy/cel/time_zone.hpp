// Time zones for the selectors of timestamps (cel-spec, langdef.md "Timezones"): fixed offsets and the names of the tz
// database (gateway/policy/zone_file.hpp).
#pragma once

#include "workflows/time_zone.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace sallyport::policy::cel {

class time_zone {
public:
    /// `UTC`, `+11:00`, `-02:30`, `02:00`, or a name like `Europe/Berlin`. None for what is no zone. Files are read once
    /// a process; an unknown name costs a system call.
    static std::optional<time_zone> find(std::string_view name);

    /// Seconds east of UTC at that instant (seconds since 1970).
    std::int32_t offset_at(std::int64_t seconds) const noexcept;

private:
    time_zone() = default;
    std::int32_t fixed_ = 0;
    std::shared_ptr<const sallyport::time_zone> named_;  // null: fixed
};

}  // namespace sallyport::policy::cel
