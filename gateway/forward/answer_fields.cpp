#include "gateway/forward/answer_fields.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace sallyport::forward {

void answer_fields(const http::response_head& head, const credential_forms* forms, header_list& out)
{
    const auto shows = [forms](std::string_view text) { return forms->found_in(text); };
    const auto shown_in_name = [&shows](const http::field& one) { return shows(one.name); };
    out.clear();
    const auto keep = [&out](const http::field& one) { out.add(one.name, one.value); };
    if (forms == nullptr || std::none_of(head.fields.begin(), head.fields.end(), shown_in_name)) {
        fields_to_agent(head.fields, keep);
    } else {
        std::vector<http::field> rest(head.fields.begin(), head.fields.end());
        std::erase_if(rest, shown_in_name);
        fields_to_agent(rest, keep);
    }
    if (forms == nullptr || std::none_of(out.begin(), out.end(), [&shows](const auto& one) { return shows(one.value); })) return;
    header_list clean;
    for (const auto& one : out) {
        if (shows(one.value))
            clean.add(one.name, forms->redact(one.value));
        else
            clean.add(one.name, one.value);
    }
    out = std::move(clean);
}

}  // namespace sallyport::forward
