// The policy's own test cases: `*.test.yaml` beside the rules (wire.md, "Command line details").
#pragma once

#include "gateway/command_line/judged_request.hpp"
#include "gateway/config/configuration.hpp"
#include "workflows/agent.hpp"
#include "workflows/result.hpp"
#include "workflows/time.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::command_line {

struct policy_case {
    std::string name;
    std::size_t line = 0;
    sallyport::agent agent;
    std::optional<policy::task_facts> task;
    judged_request request;
    time_point now;
    std::string verdict;             // expected
    std::vector<std::string> rules;  // expected, in any order, where `has_rules`
    bool has_rules = false;
};

/// The files of test cases directly in a directory, by name.
std::vector<std::filesystem::path> case_files(const std::filesystem::path& directory);

/// `invalid_input` with `FILE:LINE:COLUMN: message` for the first thing that is wrong with the file.
result<std::vector<policy_case>> read_cases(const std::filesystem::path&);

/// Empty when it passed, else what was expected and what was seen.
std::string run_case(const config::configuration&, const credential_fields&, const policy_case&);

}  // namespace sallyport::command_line
