// A log as a directory that others can check with public tools (C2SP tlog-tiles): `checkpoint`, `tile/…`, `tile/entries/…`,
// `keys.json`, and `data/SHA256` for data that no bundle takes (leaf.hpp). Written once, whole: `checkpoint` comes last, so that
// what was cut short is no export. Every byte of it is checked, and no file is passed over.
#pragma once

#include "gateway/audit/verify.hpp"
#include "gateway/tree/note.hpp"
#include "gateway/tree/tiles.hpp"
#include "workflows/result.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::audit {

/// `keys.json`: `{"keys":[{"name":…,"vkey":…}]}`.
std::string keys_file(const tree::verifier&);

class export_writer {
public:
    /// Makes the directory, 0700, where there is none; `invalid_input` for one that is not empty.
    static result<export_writer> begin(const std::filesystem::path&);
    ~export_writer();
    export_writer(export_writer&&) noexcept;
    export_writer& operator=(export_writer&&) noexcept;

    // Both also give `internal_error`, with the path, when the disk refuses. Nothing is synced.
    /// The next leaf of the log, and its data where the leaf has but the hash of it.
    result<void> add(std::string_view leaf, const std::optional<std::string_view>& apart);
    /// `conflict` when the leaves that were given are not those of the checkpoint: then there is no checkpoint in it.
    result<void> finish(std::string_view note, const tree::verifier&);

private:
    struct parts;
    explicit export_writer(std::unique_ptr<parts>) noexcept;
    std::unique_ptr<parts> parts_;
};

struct exported_verification {
    // What is wrong with the files, each with its name, as whoever made it wrote that; empty: nothing.
    std::vector<std::string> files;
    std::size_t files_left_out = 0;     // beyond the first of a kind (most_of_a_kind)
    verification record;                // of the entries
    std::optional<tree::verifier> key;  // that was trusted
    std::optional<tree::checkpoint> checkpoint;

    bool in_order() const { return files.empty() && record.findings.empty(); }
};

/// Without a key the directory's own is trusted.
exported_verification verify_exported(const std::filesystem::path&, const std::optional<tree::verifier>& key);

}  // namespace sallyport::audit
