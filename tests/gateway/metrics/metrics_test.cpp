#include "gateway/metrics/metrics.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace sallyport::metrics;
using namespace std::chrono_literals;

TEST_CASE("a counter sums what all cores added")
{
    registry r;
    counter& c = r.count("calls_total", "Calls.", {{"route", "crm"}});
    std::thread other([&] {
        set_core(1);
        c.add(2);
    });
    c.add();
    other.join();
    CHECK(c.value() == 3);
    CHECK(&c == &r.count("calls_total", "Calls.", {{"route", "crm"}}));
    CHECK(r.text() == "# HELP calls_total Calls.\n# TYPE calls_total counter\ncalls_total{route=\"crm\"} 3\n");
}

TEST_CASE("label values cannot break out of their quotes")
{
    registry r;
    r.count("c", "h", {{"l", "a\"b\\c\nd"}});
    CHECK(r.text().find("c{l=\"a\\\"b\\\\c\\nd\"} 0\n") != std::string::npos);
}

TEST_CASE("a histogram's buckets are cumulative, its bounds inclusive")
{
    registry r;
    histogram& h = r.time("t_seconds", "T.", {});
    h.observe(10us);
    h.observe(11us);
    h.observe(2h);
    const std::string text = r.text();
    CHECK(text.find("t_seconds_bucket{le=\"1e-05\"} 1\n") != std::string::npos);
    CHECK(text.find("t_seconds_bucket{le=\"2.5e-05\"} 2\n") != std::string::npos);
    CHECK(text.find("t_seconds_bucket{le=\"+Inf\"} 3\n") != std::string::npos);
    CHECK(text.find("t_seconds_count 3\n") != std::string::npos);
    CHECK(text.find("t_seconds_sum 7200.000021\n") != std::string::npos);
}

TEST_CASE("a gauge without values still names its family")
{
    std::string out;
    write_gauge(out, "g", "G.", {});
    CHECK(out == "# HELP g G.\n# TYPE g gauge\n");
}
