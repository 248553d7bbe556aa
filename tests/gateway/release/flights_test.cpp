#include "gateway/release/flights.hpp"

#include "gateway/release/row_by_row.hpp"
#include "tests/workflows/cast.hpp"

using namespace sallyport;
using namespace sallyport::release;
using namespace sallyport::cast;

namespace {

std::string becomes(const flights& all, std::uint8_t n, std::int64_t version)
{
    const auto what = all.left_over(id_of<hold_id>(n), version);
    if (!what) return "in flight";
    if (std::holds_alternative<happened::sent_nothing>(*what)) return "sent nothing";
    if (std::holds_alternative<happened::lost>(*what)) return "lost";
    return "another";
}

}  // namespace

TEST_CASE("a claim that nobody is at work on becomes what it would have been")
{
    flights all;
    CHECK(becomes(all, 1, 3) == "sent nothing");  // never seen here
    {
        flight one(all, id_of<hold_id>(1), 3);
        CHECK(all.running() == 1);
        CHECK(becomes(all, 1, 3) == "in flight");
        CHECK(becomes(all, 1, 4) == "sent nothing");  // another claim of the same hold
        CHECK(becomes(all, 2, 3) == "sent nothing");
    }
    CHECK(all.running() == 0);
    CHECK(becomes(all, 1, 3) == "sent nothing");  // it ended before it began
    all.forget(id_of<hold_id>(1), 3);
    {
        flight one(all, id_of<hold_id>(1), 5);
        one.would_be(happened::lost{"x"});
        CHECK(becomes(all, 1, 5) == "in flight");
        all.forget(id_of<hold_id>(1), 5);  // not while it flies
        CHECK(becomes(all, 1, 5) == "in flight");
    }
    CHECK(becomes(all, 1, 5) == "lost");
    all.forget(id_of<hold_id>(1), 5);
    {
        flight one(all, id_of<hold_id>(1), 7);
        one.would_be(happened::lost{"x"});
        one.recorded();
    }
    CHECK(becomes(all, 1, 7) == "sent nothing");  // nothing is remembered of it
}

TEST_CASE("what is set aside comes back after a while")
{
    set_aside bad("a test's hold");
    const set_aside::clock::time_point begin{};
    bad.add(id_of<hold_id>(1), fail(problem::internal_error), begin);
    bad.add(id_of<hold_id>(2), fail(problem::internal_error), begin + 10s);
    CHECK(bad.ids(begin + 10s).size() == 2);
    CHECK(bad.ids(begin + set_aside::for_so_long) == std::vector{id_of<hold_id>(2)});
    CHECK(bad.ids(begin + 10s + set_aside::for_so_long).empty());
    CHECK(is_of_the_row(fail(problem::internal_error)));
    CHECK_FALSE(is_of_the_row(fail(problem::storage_unavailable)));
    CHECK_FALSE(is_of_the_row(fail(problem::conflict)));
}
