// Which people a target `where:EXPRESSION` means: a CEL expression over `person` {handle, name, roles, teams, labels} and `agent`
// {id, name, class, owner, labels}, of type bool. `agent.owner` is whose it was when the call was held.
#pragma once

#include "gateway/policy/cel/program.hpp"
#include "workflows/arrangements.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::policy {

class person_expressions final : public person_conditions {
public:
    /// Compiles one that the configuration names. Not once others may ask. The mistakes, whose offsets are into the text; none: it is
    /// there from now on.
    std::vector<cel::mistake> add(const std::string& expression);

    /// One that the configuration does not name (any more) is compiled when it is asked: a hold keeps the words under which it was
    /// made.
    std::optional<bool> is_true(const std::string& expression, const person&, const agent&, const owner_name& owner) const override;

private:
    using programs = std::map<std::string, std::shared_ptr<const cel::program>, std::less<>>;
    std::shared_ptr<const cel::program> find(const std::string& expression) const;

    programs named_;
    mutable std::mutex mutex_;  // for former_
    mutable programs former_;   // null: it does not compile
};

}  // namespace sallyport::policy
