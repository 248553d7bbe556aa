// What an expression may name, and where its values come from.
#pragma once

#include "gateway/policy/cel/types.hpp"
#include "gateway/policy/cel/value.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::policy::cel {

struct variable {
    std::string name;  // may be qualified: `a.b`
    const type* of = &types::dyn;
    std::uint32_t slot = 0;
};

class environment {
public:
    void declare(std::string name, const type* of, std::uint32_t slot) { variables_.push_back({std::move(name), of, slot}); }
    const variable* find(std::string_view name) const noexcept
    {
        for (const variable& v : variables_)
            if (v.name == name) return &v;
        return nullptr;
    }
    const std::vector<variable>& variables() const noexcept { return variables_; }

private:
    std::vector<variable> variables_;
};

/// The values of one evaluation, by slot. Not shared between threads.
class activation {
public:
    virtual ~activation() = default;
    /// An error where there is no value.
    virtual value load(std::uint32_t slot, workspace&) = 0;
    /// One entry of the map in that slot; an error without message when there is none. For maps that are costly to make.
    virtual value load_member(std::uint32_t slot, std::string_view key, workspace& work)
    {
        const value map = load(slot, work);
        if (map.failed()) return map;
        return map.is_map() ? map_find(map, key, work) : value::error("no such overload");
    }

protected:
    activation() = default;
    activation(const activation&) = default;
    activation& operator=(const activation&) = default;
};

}  // namespace sallyport::policy::cel
