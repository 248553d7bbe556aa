// What every way to decide has in common: the page's, a link's, a click's in Slack. Inside a transaction; the call's person is the one
// who decides.
#pragma once

#include "gateway/people/call.hpp"
#include "gateway/people/request.hpp"
#include "storage/evidence_store.hpp"
#include "storage/hold_store.hpp"
#include "storage/transaction.hpp"
#include "workflows/hold.hpp"
#include "workflows/result.hpp"

#include <boost/json/fwd.hpp>

#include <string>
#include <string_view>

namespace sallyport::people {

/// Is it open, may this person: `hold_closed`, `not_eligible`.
result<void> may_decide(const call&, const storage::stored_hold&);
/// The same for whoever would break the glass.
result<void> may_break(const call&, const storage::stored_hold&);

/// What is written with a decision: at most 2000 bytes, no controls but line ends and tabs.
result<std::string> read_reason(const message&);
result<void> check_reason(std::string_view);

/// What an approval signs besides: never both.
struct besides {
    bool break_glass = false;
    std::string grant;  // the terms of one, as terms_text() writes them; empty: none
};

/// The unsigned or signed text of that decision, as the page would show it.
/// No channel but the inbox asks for more than the decision.
std::string statement_for(const call&, const storage::stored_hold&, decision_kind, const std::string& reason, const besides& = {});

/// Takes a decision that has been proved: moves the hold, which is locked, keeps the evidence, and records both. `given` has kind,
/// reason, assurance and grant. The reply is 201 with decision and hold, or the problem where its time was over.
result<reply> take_decision(storage::transaction&, const call&, storage::stored_hold, decision given, storage::evidence);

/// The step found its time over and closed it: that is committed, and the answer is no.
reply expired_meanwhile(const storage::stored_hold&);

/// Writes an entry of that hold and person, of kind `decision`.
void record_decision(storage::transaction&, const call&, const storage::stored_hold&, const boost::json::object& data);
/// The attempt is in the record, and nothing else of it.
reply refused_attempt(storage::transaction&, const call&, const storage::stored_hold&, const failure&);

}  // namespace sallyport::people
