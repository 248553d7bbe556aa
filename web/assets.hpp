#pragma once

// The approvers' pages, compiled into the program: every file that the web build makes, in static storage.

#include <span>
#include <string_view>

namespace sallyport::web {

struct asset {
    std::string_view path;        // as requested: "/assets/app-3QK2Z.js"; the pages themselves are "/index.html"
    std::string_view media_type;  // with its charset, ready for Content-Type
    std::string_view bytes;
    bool immutable;         // the name has the content's hash in it: may be kept for a year. Otherwise ask again each time
    std::string_view etag;  // quoted and strong, for If-None-Match
    std::string_view gzip;  // the same, compressed, for clients that accept gzip; empty when that is not smaller
};

// Every asset, ordered by path.
std::span<const asset> assets() noexcept;

// The file with exactly this path (no query), or null.
const asset* find_asset(std::string_view path) noexcept;

// As above, and the one HTML file for every address that is a page: "/", "/login", "/history", "/agents", "/people",
// "/audit", "/holds/ID", "/enrol/CODE". ID and CODE are not judged: the page asks the API and says what is wrong.
const asset* find_page(std::string_view path) noexcept;

}  // namespace sallyport::web
