#include "gateway/policy/cel/types.hpp"

namespace sallyport::policy::cel {

std::string describe(const type& t)
{
    const auto of = [](const type* part) { return part ? describe(*part) : std::string("dyn"); };
    switch (t.kind) {
    case type_kind::dyn:
    case type_kind::parameter: return "dyn";
    case type_kind::null: return "null";
    case type_kind::boolean: return "bool";
    case type_kind::integer: return "int";
    case type_kind::natural: return "uint";
    case type_kind::real: return "double";
    case type_kind::number: return "number";
    case type_kind::string: return "string";
    case type_kind::bytes: return "bytes";
    case type_kind::duration: return "duration";
    case type_kind::timestamp: return "timestamp";
    case type_kind::type: return "type(" + of(t.first) + ")";
    case type_kind::list: return "list(" + of(t.first) + ")";
    case type_kind::map: return "map(" + of(t.first) + ", " + of(t.second) + ")";
    case type_kind::optional: return "optional(" + of(t.first) + ")";
    case type_kind::object: return std::string(t.fields->name);
    }
    return "dyn";
}

}  // namespace sallyport::policy::cel
