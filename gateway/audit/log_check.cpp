#include "gateway/audit/log_check.hpp"

#include "gateway/audit/leaf.hpp"
#include "gateway/canonical/sha256.hpp"

#include <utility>

namespace sallyport::audit {

digest log_check::look(std::int64_t index, std::string_view leaf, const std::optional<std::string_view>& apart)
{
    look_into(index, leaf, apart);
    const digest hash = tree::leaf_hash(leaf);
    range_.append(hash);
    return hash;
}

void log_check::look_into(std::int64_t index, std::string_view leaf, const std::optional<std::string_view>& apart)
{
    const auto read = leaf_text::parse(leaf);
    if (!read) return pass_over(index, finding_kind::entry, read.error().detail);
    shown_entry e{index,
                  std::string(read->kind),
                  std::string(read->action),
                  std::string(read->hold),
                  std::string(read->person),
                  {},
                  std::string(read->agent),
                  parse_rfc3339(read->at).value_or(time_point())};
    if (read->data) return record_.look(e, *read->data);
    if (!apart) return pass_over(index, finding_kind::data, "its data is missing");
    if (sha256(*apart).hex() != read->data_sha256)
        return pass_over(index, finding_kind::data, "its data is not the one that the entry was made with");
    e.data = *apart;
    record_.look(e);
}

// It counts, so that the entries behind it keep their places.
void log_check::pass_over(std::int64_t index, finding_kind kind, std::string why)
{
    record_.look({index, {}, {}, {}, {}, "{}"});
    record_.report(kind, index, std::move(why));
}

}  // namespace sallyport::audit
