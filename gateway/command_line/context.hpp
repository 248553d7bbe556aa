// What every command is given: where the configuration and the data are, how to print, and how commands end.
#pragma once

#include "workflows/result.hpp"
#include "workflows/time.hpp"

#include <boost/json/value.hpp>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace sallyport::command_line {

/// contract.md, "Command line".
enum class exit_status { done = 0, no = 1, usage = 2, unreachable = 3 };

/// Ends a command: one line on standard error, and the status.
class command_failed : public std::runtime_error {
public:
    command_failed(exit_status status, const std::string& message) : std::runtime_error(message), status_(status) {}
    exit_status status() const noexcept { return status_; }

private:
    exit_status status_;
};

struct context {
    std::filesystem::path config;
    std::filesystem::path data;
    bool json = false;
    exit_status status = exit_status::done;  // what the command that ran says
};

/// The value, or the end of the command with status 1.
template <class T>
T or_fail(result<T> r)
{
    if (!r) throw command_failed(exit_status::no, r.error().detail.empty() ? std::string(facts(r.error().what).title) : r.error().detail);
    return std::move(*r);
}

/// One line on standard output.
void print(std::string_view line);
void print_json(const boost::json::value&);
/// Columns under their headings, for people.
class table {
public:
    explicit table(std::vector<std::string> headings) : rows_{std::move(headings)} {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    void print() const;

private:
    std::vector<std::vector<std::string>> rows_;
};

/// The clock of this machine: a command that asks no gateway has no other.
time_point local_now();

std::string read_file(const std::filesystem::path&);
std::string read_standard_input();

// Each adds its commands to the program. `context` outlives the App.
void add_serve(CLI::App&, context&);
void add_check(CLI::App&, context&);
void add_policy(CLI::App&, context&);
void add_agents(CLI::App&, context&);
void add_people(CLI::App&, context&);
void add_credentials(CLI::App&, context&);
void add_token(CLI::App&, context&);
void add_holds(CLI::App&, context&);
void add_grants(CLI::App&, context&);
void add_audit(CLI::App&, context&);
void add_workflows(CLI::App&, context&);

}  // namespace sallyport::command_line
