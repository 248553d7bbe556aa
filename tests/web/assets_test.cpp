#include "web/assets.hpp"  // first: the header stands alone

#include <doctest/doctest.h>

#include <algorithm>

using namespace sallyport::web;

TEST_CASE("the table is ordered, whole and addressed by content")
{
    const auto all = assets();
    REQUIRE(all.size() >= 5);
    CHECK(std::ranges::is_sorted(all, {}, &asset::path));
    for (const asset& a : all) {
        CAPTURE(a.path);
        CHECK(find_asset(a.path) == &a);
        CHECK(!a.bytes.empty());
        CHECK(a.etag.size() > 10);
        CHECK((a.etag.front() == '"' && a.etag.back() == '"'));
        CHECK(a.immutable == a.path.starts_with("/assets/"));
        if (!a.gzip.empty()) {
            CHECK(a.gzip.size() < a.bytes.size());
            CHECK(a.gzip.starts_with("\x1f\x8b"));
        }
    }
}

TEST_CASE("the page names its script and style, which are there, and nothing elsewhere")
{
    const asset* page = find_page("/");
    REQUIRE(page != nullptr);
    CHECK(page->media_type == "text/html; charset=utf-8");
    CHECK(!page->immutable);
    for (const asset& a : assets())
        if (a.immutable && (a.path.ends_with(".js") || a.path.ends_with(".css"))) CHECK(page->bytes.find(a.path) != std::string_view::npos);
    CHECK(page->bytes.find("://") == std::string_view::npos);
    CHECK(page->bytes.find('@') == std::string_view::npos);  // no placeholder of the build was left
}

TEST_CASE("the service worker and the manifest stand at the root, under names that stay, and what they name is there")
{
    const asset* worker = find_asset("/sw.js");
    REQUIRE(worker != nullptr);
    CHECK(worker->media_type == "text/javascript; charset=utf-8");
    CHECK_FALSE(worker->immutable);
    CHECK(worker->bytes.find("@ICON@") == std::string_view::npos);
    const asset* manifest = find_asset("/manifest.webmanifest");
    REQUIRE(manifest != nullptr);
    CHECK(manifest->bytes.find('@') == std::string_view::npos);
    int pictures = 0;
    for (const asset& a : assets()) {
        if (!a.path.ends_with(".png")) continue;
        ++pictures;
        CHECK(a.media_type == "image/png");
        CHECK(a.immutable);
        CHECK(manifest->bytes.find(a.path) != std::string_view::npos);
    }
    CHECK(pictures == 3);
}

TEST_CASE("what is a page")
{
    struct row {
        const char* path;
        bool page;
    };
    const row rows[] = {
        {"/", true},           {"/login", true},        {"/history", true},     {"/agents", true}, {"/people", true},
        {"/audit", true},      {"/holds/hld_01", true}, {"/enrol/x-y_z", true}, {"/holds", false}, {"/holds/", false},
        {"/holds/a/b", false}, {"/Login", false},       {"/login/", false},     {"", false},       {"//", false},
        {"/..", false},        {"/assets/", false},     {"/api/v1/me", false},
    };
    for (const row& r : rows) {
        CAPTURE(r.path);
        CHECK((find_page(r.path) != nullptr) == r.page);
    }
    CHECK(find_asset("/") == nullptr);
    CHECK(find_page("/manifest.webmanifest") == find_asset("/manifest.webmanifest"));
}
