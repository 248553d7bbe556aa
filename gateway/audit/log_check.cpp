#include "gateway/audit/log_check.hpp"

#include "gateway/audit/leaf.hpp"
#include "gateway/canonical/sha256.hpp"

namespace sallyport::audit {

digest log_check::look(std::string_view leaf, const std::optional<std::string_view>& apart)
{
    look_into(leaf, apart);
    const digest hash = tree::leaf_hash(leaf);
    range_.append(hash);
    return hash;
}

void log_check::look_into(std::string_view leaf, const std::optional<std::string_view>& apart)
{
    const auto index = static_cast<std::int64_t>(range_.size());
    const auto read = leaf_text::parse(leaf);
    if (!read) {
        findings_.push_back({index, read.error().detail});
        return pass_over(index);
    }
    shown_entry e{index, std::string(read->kind), std::string(read->action), std::string(read->hold), std::string(read->person), {}};
    if (read->data) return record_.look(e, *read->data);
    if (apart && sha256(*apart).hex() == read->data_sha256)
        e.data = *apart;
    else
        findings_.push_back({index, apart ? "its data is not the one that the entry was made with" : "its data is missing"});
    if (e.data.empty()) return pass_over(index);
    record_.look(e);
}

// It counts, so that the entries behind it keep their places.
void log_check::pass_over(std::int64_t index) { record_.look({index, {}, {}, {}, {}, "{}"}); }

verification log_check::finish()
{
    verification all = record_.finish();
    all.findings.insert(all.findings.begin(), findings_.begin(), findings_.end());
    return all;
}

}  // namespace sallyport::audit
