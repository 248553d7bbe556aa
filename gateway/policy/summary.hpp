// A rule's summary: its own words, with placeholders that the call fills (contract.md, "Configuration"; semantics.md,
// "Agent's text in summaries"). What comes from the call is inert text.
#pragma once

#include "gateway/policy/cel/program.hpp"
#include "gateway/policy/facts.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::policy {

class summary_template {
public:
    /// `{expression}` is CEL over the same variables as the condition; `{{` and `}}` are braces. Mistakes have their
    /// offset in `text`; with any of them the template must not be used.
    static summary_template compile(std::string_view text, std::vector<cel::mistake>& mistakes);

    /// What has no value shows as `?`, a number of the body with the digits it has there, a string escaped and cut.
    std::string render(const call_facts&) const;

    bool reads_body() const noexcept;
    void add_body_paths(std::vector<std::string>& pointers) const;

private:
    struct part {
        std::string words;
        std::optional<cel::program> placeholder;  // behind the words
    };
    std::vector<part> parts_;
};

}  // namespace sallyport::policy
