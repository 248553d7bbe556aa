// An entry of the log as its tree has it: RFC 8785 text of `action`, `agent`, `at`, `data`, `hold`, `kind`, `person` (those that
// there are), in which `data` is the entry's own text and `at` has six decimals, as the database keeps it. The place in the log
// is the leaf's place in the tree.
//
// A bundle of tlog-tiles takes 65,535 bytes an entry, and no limit of the gateway's promises so little: targets, statements and
// reasons are as long as `limits` let them be. An entry whose text would be longer has `data_sha256`, in hex, in place of
// `data`, and its data goes beside the bundles, so that nothing has to be refused or cut for being recorded. What decides is
// the text's length alone; so there is one leaf for an entry.
#pragma once

#include "gateway/canonical/json.hpp"
#include "storage/audit_store.hpp"
#include "workflows/result.hpp"

#include <string>
#include <string_view>

namespace sallyport::audit {

/// Replaces `out`.
void write_leaf(const storage::audit_entry&, std::string& out);
/// Whether its leaf holds only the hash of its data.
bool data_is_apart(const storage::audit_entry&);

/// A leaf as it is read again. Views into the document.
struct leaf_text {
    json::document text;
    std::string_view kind, action, hold, agent, person, at;  // empty: none
    const json::value* data = nullptr;                       // null: apart
    std::string_view data_sha256;

    /// `invalid_input`, with what is wrong, unless its members are those of a leaf, in their order, each once. What they say is
    /// not checked, nor the text's RFC 8785 form.
    static result<leaf_text> parse(std::string_view);
};

}  // namespace sallyport::audit
