// A real PostgreSQL for the tests of this folder: one cluster a run, started when the first test asks for it, and a
// schema a test, so that no test sees what another wrote.
#pragma once

#include "storage/database.hpp"
#include "storage/private_cluster.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace sallyport::storage {

/// Made in /tmp, passable for others, gone with its object.
class temporary_directory {
public:
    temporary_directory();
    ~temporary_directory();
    temporary_directory(const temporary_directory&) = delete;
    temporary_directory& operator=(const temporary_directory&) = delete;
    const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

/// The run's cluster. Never stopped by a test: those that kill one have their own.
private_cluster& shared_cluster();

/// Runs SQL as the cluster's own superuser: its settings are everybody's.
void as_superuser(const std::string& text);

database_options options_for(const private_cluster&, std::string schema);
/// A schema's name that no other test has.
std::string new_schema();

/// Opens the database of a new schema.
class fixture {
public:
    explicit fixture(std::size_t threads = 2);
    database& db() { return *db_; }
    const std::string& schema() const { return schema_; }

    /// What `f` gives, of a transaction that must succeed.
    template <class F>
    auto in(F f)
    {
        auto answer = db_->run_blocking(std::move(f));
        REQUIRE_MESSAGE(answer.has_value(), (answer ? std::string() : answer.error().detail + " / " + answer.error().cause));
        if constexpr (!std::is_void_v<typename decltype(answer)::value_type>) return std::move(*answer);
    }
    time_point now();
    /// Runs SQL of the test's own as the database's owner, outside the stores.
    void sql(const std::string& text);
    /// The first column of the first row.
    std::string ask(const std::string& text);
    /// The same, and it stays: for what no store would do, such as time that has passed.
    void change(const std::string& text);

private:
    std::string schema_;
    std::unique_ptr<database> db_;
};

/// Ids of the tests: each number its own.
template <class Id>
Id some_id(unsigned n)
{
    std::array<std::uint8_t, 10> random{};
    random[8] = static_cast<std::uint8_t>(n >> 8);
    random[9] = static_cast<std::uint8_t>(n);
    return Id::make(time_point(std::chrono::milliseconds(1'767'603'600'000 + n)), random);
}

inline std::string bytes32(char fill) { return std::string(32, fill); }

}  // namespace sallyport::storage
