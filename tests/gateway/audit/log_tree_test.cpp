#include "gateway/audit/log_tree.hpp"

#include "gateway/audit/leaf.hpp"
#include "tests/storage/fixture.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

namespace sallyport::audit {
namespace {

namespace audit_store = storage::audit_store;
using storage::transaction;

jose::private_key new_key() { return jose::private_key::generate(jose::key_type::ed25519).value(); }

struct log {
    storage::fixture f{2};
    jose::private_key key = new_key();
    log_tree tree{key};

    void add(std::size_t count, bool with_tree = true)
    {
        std::vector<storage::audit_entry> many(count);
        for (auto& e : many) {
            e.at = time_point(std::chrono::seconds(1'795'716'963)) + std::chrono::microseconds(++made_);
            e.kind = "admin";
            e.data = R"({"n":)" + std::to_string(made_) + "}";
        }
        f.in([&](transaction& tx) {
            audit_store::append_to_log(tx, many,
                                       with_tree ? audit_store::head_maker([&](auto& head, auto added) { tree.grow(head, added); })
                                                 : audit_store::head_maker());
        });
    }
    storage::audit_head head()
    {
        return f.in([](transaction& tx) { return audit_store::head(tx); });
    }
    /// What the entries themselves make of it.
    std::string text()
    {
        tree::compact_range range;
        std::string leaf;
        for (const auto& e : f.in([](transaction& tx) { return audit_store::read(tx, 0, 10'000); })) {
            write_leaf(e, leaf);
            range.append(tree::leaf_hash(leaf));
        }
        return tree::checkpoint{head().origin, range.size(), range.root()}.text();
    }
    bool stands()
    {
        const auto h = head();
        return !log_tree::behind(h) && tree::open_note(h.checkpoint, tree.verifier(h.origin)) == text();
    }

private:
    std::int64_t made_ = 0;
};

}  // namespace

TEST_CASE("the tree grows with the log, and its checkpoint is signed")
{
    log l;
    CHECK(log_tree::behind(l.head()));
    CHECK(l.tree.catch_up(l.f.db(), 10).value() == false);
    CHECK(l.stands());  // empty
    for (const std::size_t count : {1U, 2U, 300U, 5U}) {
        l.add(count);
        CHECK(l.stands());
    }
    l.f.in([](transaction& tx) {
        storage::audit_entry e;
        e.at = tx.now();
        e.kind = "admin";
        e.data = "{}";
        audit_store::append(tx, e);
    });
    l.f.in([&](transaction& tx) { audit_store::integrate(tx, 10, [&](auto& head, auto added) { l.tree.grow(head, added); }); });
    CHECK(l.stands());
    CHECK(l.head().size == 309);
}

TEST_CASE("entries that came without the tree are brought in, some at a time")
{
    log l;
    l.add(25, false);
    l.add(3);  // nothing waits for the tree
    CHECK(l.head().checkpoint.empty());
    CHECK(l.tree.catch_up(l.f.db(), 10).value());
    CHECK(l.tree.catch_up(l.f.db(), 10).value());
    l.add(4, false);
    CHECK(l.tree.catch_up(l.f.db(), 10).value());
    CHECK_FALSE(l.tree.catch_up(l.f.db(), 10).value());
    CHECK(l.stands());
    l.add(1);
    CHECK(l.stands());
    // Another replica, which has not seen that checkpoint being signed.
    const log_tree again(l.key);
    CHECK_FALSE(again.catch_up(l.f.db(), 10).value());
}

TEST_CASE("a head that was changed is not gone on from")
{
    struct row {
        const char* name;
        const char* change;
    };
    const row rows[] = {
        {"no tree", "UPDATE audit_head SET tree = ''"},
        {"another tree", "UPDATE audit_head SET tree = set_byte(tree, 20, (get_byte(tree, 20) + 1) % 256)"},
        {"no checkpoint", "UPDATE audit_head SET checkpoint = ''"},
        {"another checkpoint", "UPDATE audit_head SET checkpoint = replace(checkpoint, E'\\n7\\n', E'\\n6\\n')"},
        {"another origin", "UPDATE audit_head SET origin = 'sallyport/' || gen_random_uuid()"},
        // The signature would be of what these lines say.
        {"an origin of several lines", "UPDATE audit_head SET origin = origin || E'\\n1000\\nroot', tree = '', checkpoint = ''"},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        log l;
        l.add(7);
        if (log_tree::behind(l.head())) REQUIRE_FALSE(l.tree.catch_up(l.f.db(), 10).value());
        REQUIRE(l.stands());
        l.f.sql(r.change);
        const auto before = l.head();
        l.add(2);
        CHECK(l.head().size == 9);
        CHECK(l.head().checkpoint == before.checkpoint);
        CHECK(l.tree.catch_up(l.f.db(), 10).error().what == problem::conflict);
    }
    log l;
    l.add(3);
    const log_tree stranger(new_key());
    l.add(1, false);
    CHECK(stranger.catch_up(l.f.db(), 10).error().what == problem::conflict);
    CHECK_FALSE(l.tree.catch_up(l.f.db(), 10).value());
    CHECK(l.stands());
}

TEST_CASE("the tree goes on from nothing that is older than what was seen")
{
    for (const bool emptied : {true, false}) {
        CAPTURE(emptied);
        log l;
        l.add(3);
        if (log_tree::behind(l.head())) REQUIRE_FALSE(l.tree.catch_up(l.f.db(), 10).value());
        const auto old = l.head();
        l.add(4);
        REQUIRE(l.stands());
        const std::string newest = l.head().checkpoint;
        CHECK(l.tree.remember(newest));
        CHECK_FALSE(l.tree.remember(newest));
        CHECK_FALSE(l.tree.remember(old.checkpoint));
        l.f.in([&](transaction& tx) {
            auto head = audit_store::head_for_update(tx);
            head.tree = emptied ? "" : old.tree;
            head.checkpoint = emptied ? "" : old.checkpoint;
            audit_store::put_tree(tx, head);
        });
        CHECK(l.tree.catch_up(l.f.db(), 10).error().what == problem::conflict);
        // The same of a process that has only the file.
        const log_tree restarted(l.key);
        CHECK(restarted.remember(newest));
        CHECK(restarted.catch_up(l.f.db(), 10).error().what == problem::conflict);
        const log_tree unknowing(l.key);
        CHECK_FALSE(unknowing.remember("forged" + newest));
        CHECK_FALSE(unknowing.catch_up(l.f.db(), 10).value());
    }
}

TEST_CASE("no tree stands over a gap")
{
    for (const char* gone : {"DELETE FROM audit_log WHERE index = 4", "DELETE FROM audit_log WHERE index = 8"}) {
        CAPTURE(gone);
        log l;
        l.add(9, false);
        l.f.sql("ALTER TABLE audit_log DISABLE TRIGGER audit_log_is_for_ever");
        l.f.sql(gone);
        result<bool> behind = true;
        while (behind && *behind) behind = l.tree.catch_up(l.f.db(), 4);
        CHECK(behind.error().what == problem::conflict);
    }
}

}  // namespace sallyport::audit
