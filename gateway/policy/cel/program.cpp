#include "gateway/policy/cel/program.hpp"

#include <algorithm>

namespace sallyport::policy::cel {

bool program::reads(std::uint32_t slot) const noexcept { return std::ranges::binary_search(slots_, slot); }

std::vector<std::string> program::paths_below(std::uint32_t slot) const
{
    std::vector<std::string> pointers;
    for (const path& p : paths_) {
        if (p.slot != slot || p.steps.empty()) continue;
        std::string pointer;
        for (const step& s : p.steps) {
            pointer.push_back('/');
            if (s.element >= 0) {
                pointer += std::to_string(s.element);
                continue;
            }
            for (const char c : s.name) {
                // RFC 6901 §3
                if (c == '~')
                    pointer += "~0";
                else if (c == '/')
                    pointer += "~1";
                else
                    pointer.push_back(c);
            }
        }
        if (std::ranges::find(pointers, pointer) == pointers.end()) pointers.push_back(std::move(pointer));
    }
    return pointers;
}

const std::vector<program::step>* program::sole_path(std::uint32_t slot) const noexcept
{
    return is_path_ && paths_.front().slot == slot ? &paths_.front().steps : nullptr;
}

}  // namespace sallyport::policy::cel
