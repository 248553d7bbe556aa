// Types as the checker sees them (cel-spec, langdef.md "Gradual Type Checking"): `dyn` fits everything, everything else
// must fit at load. Plain immutable data; composite types live in the table that made them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>

namespace sallyport::policy::cel {

struct struct_type;

enum class type_kind : std::uint8_t {
    dyn,
    null,
    boolean,
    integer,
    natural,
    real,
    number,  // of parameters only: int, uint or double
    string,
    bytes,
    duration,
    timestamp,
    type,       // of `first`
    list,       // of `first`
    map,        // from `first` to `second`
    optional,   // of `first`
    object,     // with `fields`
    parameter,  // not known yet: number `parameter`
};

struct type {
    type_kind kind = type_kind::dyn;
    const type* first = nullptr;
    const type* second = nullptr;
    const struct_type* fields = nullptr;
    std::size_t parameter = 0;
};

/// A field that conditions may name; anything else is an error where it stands.
struct field {
    std::string_view name;
    const type* of;
    std::uint32_t slot;  // where the activation has it
};

struct struct_type {
    std::string_view name;
    bool nullable;  // may be compared with null
    std::span<const field> fields;

    const field* find(std::string_view wanted) const noexcept
    {
        for (const field& f : fields)
            if (f.name == wanted) return &f;
        return nullptr;
    }
};

namespace types {
inline constexpr type dyn{type_kind::dyn};
inline constexpr type null{type_kind::null};
inline constexpr type boolean{type_kind::boolean};
inline constexpr type integer{type_kind::integer};
inline constexpr type natural{type_kind::natural};
inline constexpr type real{type_kind::real};
inline constexpr type number{type_kind::number};
inline constexpr type string{type_kind::string};
inline constexpr type bytes{type_kind::bytes};
inline constexpr type duration{type_kind::duration};
inline constexpr type timestamp{type_kind::timestamp};
// Parameters of signatures: `A` and `B`.
inline constexpr type a{type_kind::parameter, nullptr, nullptr, nullptr, 0};
inline constexpr type b{type_kind::parameter, nullptr, nullptr, nullptr, 1};
inline constexpr type type_of_a{type_kind::type, &a};
inline constexpr type list_of_a{type_kind::list, &a};
inline constexpr type list_of_string{type_kind::list, &string};
inline constexpr type list_of_integer{type_kind::list, &integer};
inline constexpr type list_of_number{type_kind::list, &number};
inline constexpr type list_of_dyn{type_kind::list, &dyn};
inline constexpr type map_of_a_b{type_kind::map, &a, &b};
inline constexpr type map_of_strings{type_kind::map, &string, &string};
inline constexpr type map_of_string_lists{type_kind::map, &string, &list_of_string};
inline constexpr type optional_of_a{type_kind::optional, &a};
inline constexpr type optional_list_of_a{type_kind::optional, &list_of_a};
inline constexpr type optional_map_of_a_b{type_kind::optional, &map_of_a_b};
inline constexpr type optional_of_b{type_kind::optional, &b};
}  // namespace types

/// `list(string)`, `map(string, dyn)`, `request`: as messages show it.
std::string describe(const type&);

/// Owns composite types; they stay where they are.
class type_table {
public:
    const type* list(const type* of) { return &made_.emplace_back(type{type_kind::list, of}); }
    const type* map(const type* from, const type* to) { return &made_.emplace_back(type{type_kind::map, from, to}); }
    const type* optional(const type* of) { return &made_.emplace_back(type{type_kind::optional, of}); }
    const type* type_of(const type* of) { return &made_.emplace_back(type{type_kind::type, of}); }
    const type* parameter(std::size_t number) { return &made_.emplace_back(type{type_kind::parameter, nullptr, nullptr, nullptr, number}); }

private:
    std::deque<type> made_;
};

}  // namespace sallyport::policy::cel
