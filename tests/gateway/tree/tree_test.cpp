#include "gateway/tree/merkle.hpp"
#include "gateway/tree/note.hpp"
#include "gateway/tree/tiles.hpp"

#include <doctest/doctest.h>

#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace sallyport::tree {
namespace {

// The inputs of the reference implementation of RFC 6962, and the roots of their first one, two, three…
const std::vector<std::string> inputs{"",
                                      std::string(1, '\0'),
                                      "\x10",
                                      "\x20\x21",
                                      "\x30\x31",
                                      "\x40\x41\x42\x43",
                                      "\x50\x51\x52\x53\x54\x55\x56\x57",
                                      "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
const char* const roots[] = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

// RFC 6962 §2.1, word for word.
digest root_by_definition(std::span<const digest> leaves)
{
    if (leaves.empty()) return empty_root();
    if (leaves.size() == 1) return leaves[0];
    std::size_t k = 1;
    while (k * 2 < leaves.size()) k *= 2;
    return node_hash(root_by_definition(leaves.first(k)), root_by_definition(leaves.subspan(k)));
}

std::vector<digest> leaves_of(std::size_t count)
{
    std::vector<digest> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(leaf_hash(std::to_string(i)));
    return all;
}

}  // namespace

TEST_CASE("roots of the reference implementation")
{
    compact_range range;
    CHECK(range.root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    std::vector<digest> leaves;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        CAPTURE(i);
        leaves.push_back(leaf_hash(inputs[i]));
        range.append(leaves.back());
        CHECK(range.root().hex() == roots[i]);
        CHECK(root_of(leaves).hex() == roots[i]);
        CHECK(range.size() == i + 1);
    }
}

TEST_CASE("a tree goes on from what was kept of it")
{
    const auto leaves = leaves_of(600);
    compact_range range;
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        const auto again = compact_range::decode(range.encode());
        REQUIRE(again);
        range = *again;
        range.append(leaves[i]);
        REQUIRE(range.root() == root_by_definition(std::span(leaves).first(i + 1)));
    }
    const auto kept = range.encode();
    CHECK(kept.size() == 8 + 32 * 4);  // 600 is 512 + 64 + 16 + 8
    for (const std::string& bad : {kept.substr(0, 7), kept.substr(0, kept.size() - 1), kept + 'x', std::string(8, '\0')})
        CHECK_FALSE(compact_range::decode(bad));
}

TEST_CASE("paths of tiles")
{
    struct row {
        std::string is;
        const char* then;
    };
    const row rows[] = {
        {tile_path(0, 0, 256), "tile/0/000"},
        {tile_path(0, 273, 112), "tile/0/273.p/112"},
        {tile_path(1, 1, 17), "tile/1/001.p/17"},
        {tile_path(2, 0, 1), "tile/2/000.p/1"},
        {tile_path(3, 1234067, 256), "tile/3/x001/x234/067"},
        {tile_path(0, 1000, 5), "tile/0/x001/000.p/5"},
        {bundle_path(1234067, 8), "tile/entries/x001/x234/067.p/8"},
        {bundle_path(999, 256), "tile/entries/999"},
    };
    for (const row& r : rows) CHECK(r.is == r.then);
}

TEST_CASE("tiles hold the hashes of their level")
{
    // The specification's own example: 70,000 entries are 273 tiles and one of 112, then one and one of 17, then one of 1.
    constexpr std::size_t count = 70'000;
    const auto leaves = leaves_of(count);
    std::map<std::string, std::string> tiles;
    tile_maker make([&](const std::string& path, std::string_view hashes) { CHECK(tiles.emplace(path, hashes).second); });
    for (const digest& leaf : leaves) make.append(leaf);
    make.finish();
    CHECK(tiles.size() == 273 + 1 + 1 + 1 + 1);
    CHECK(tiles.at("tile/0/272").size() == 8192);
    CHECK(tiles.at("tile/0/273.p/112").substr(111 * 32) == leaves.back().view());
    CHECK(tiles.at("tile/1/000").substr(0, 32) == root_by_definition(std::span(leaves).first(256)).view());
    CHECK(tiles.at("tile/1/001.p/17").substr(16 * 32) == root_by_definition(std::span(leaves).subspan(272 * 256, 256)).view());
    CHECK(tiles.at("tile/2/000.p/1") == root_by_definition(std::span(leaves).first(65536)).view());
}

TEST_CASE("bundles of entries")
{
    std::string bundle;
    append_to_bundle(bundle, "ab");
    append_to_bundle(bundle, "");
    append_to_bundle(bundle, std::string(longest_entry, 'x'));
    CHECK(bundle.substr(0, 8) == std::string("\0\2ab\0\0\xff\xff", 8));
    const auto read = entries_of(bundle);
    REQUIRE(read);
    REQUIRE(read->size() == 3);
    CHECK((*read)[0] == "ab");
    CHECK((*read)[2].size() == longest_entry);
    CHECK(entries_of("")->empty());
    CHECK_FALSE(entries_of(bundle.substr(0, bundle.size() - 1)));
    CHECK_FALSE(entries_of(bundle + '\0'));
    CHECK_THROWS_AS(append_to_bundle(bundle, std::string(longest_entry + 1, 'x')), std::length_error);
}

TEST_CASE("the specification's signed note")
{
    const auto key = verifier::parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    REQUIRE(key);
    CHECK(key->name == "example.com/foo");
    CHECK(key->vkey() == "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    for (const char* bad : {"", "example.com/foo", "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                            "example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                            "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                            "example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                            "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k ",
                            "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"})
        CHECK_FALSE(verifier::parse(bad));
    const std::string note = "This is an example message.\n\n"
                             "\xe2\x80\x94 example.com/foo "
                             "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    const auto text = open_note(note, *key);
    REQUIRE(text);
    CHECK(note.starts_with(*text + "\n"));
    // Whatever is changed in it.
    for (std::size_t i = 0; i < note.size(); ++i)
        for (const int flip : {1, 0x20}) {
            std::string changed = note;
            changed[i] = static_cast<char>(changed[i] ^ flip);
            CAPTURE(i);
            CHECK_FALSE(open_note(changed, *key));
        }
    CHECK_FALSE(open_note(note + note.substr(text->size() + 1), *key));
    CHECK_FALSE(open_note(note.substr(0, note.size() - 1), *key));
}

TEST_CASE("checkpoints")
{
    const checkpoint one{"sallyport/x", 70'000, leaf_hash("")};
    CHECK(one.text() == "sallyport/x\n70000\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n");
    CHECK(checkpoint::parse(one.text()) == one);
    for (const char* bad : {"", "sallyport/x\n70000\n", "\n70000\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n",
                            "sallyport/x\n070000\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n",
                            "sallyport/x\n-1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n",
                            "sallyport/x\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB1=\n",
                            "sallyport/x\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\nmore\n"})
        CHECK_FALSE(checkpoint::parse(bad));
}

}  // namespace sallyport::tree
