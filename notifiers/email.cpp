#include "notifiers/email.hpp"

#include "notifiers/mail_message.hpp"

#include <string_view>
#include <utility>

namespace sallyport::notifiers {
namespace {

std::string_view domain_of(const mailbox& who) noexcept { return std::string_view(who.address).substr(who.address.find('@') + 1); }

smtp_server greeting_as(smtp_server server, const std::optional<mailbox>& from)
{
    if (from) server.greeting = domain_of(*from);
    return server;
}

}  // namespace

email::email(email_options options)
    : from_(read_mailbox(options.from)),
      public_url_(std::move(options.public_url)),
      sender_(greeting_as(std::move(options.server), from_))
{
}

delivery email::deliver(const notice& n)
{
    using kind = not_delivered::kind;
    if (!from_) return not_delivered{kind::later, "the sender's address, `from`, is none that mail can be sent from", {}};
    if (!n.to) return not_delivered{kind::never, "mail goes to a person, and the notice names none", {}};
    if (n.to->email.empty()) return not_delivered{kind::address, n.to->handle + " has no mail address", {}};
    if (!is_mail_address(n.to->email))
        return not_delivered{kind::address, "the mail address of " + n.to->handle + " is not `local@domain` in ASCII", {}};

    auto refused = sender_.send(from_->address, n.to->email, mail_message(n, *from_, public_url_));
    if (refused) return *std::move(refused);
    return delivered{message_id(n, domain_of(*from_))};
}

}  // namespace sallyport::notifiers
