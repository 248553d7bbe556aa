#include "notifiers/mail_message.hpp"

#include "notifiers/mail_letter.hpp"
#include "workflows/encoding.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>

namespace sallyport::notifiers {
namespace {

std::string id_of(hold_id hold, const std::string& seed, std::string_view domain)
{
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(reinterpret_cast<const unsigned char*>(seed.data()), seed.size(), hash.data());
    // 64 bits, beside the hold's own: enough for its few mails, and short enough for most domains to fit on a line.
    return '<' + hold.text() + '.' + hex({reinterpret_cast<const char*>(hash.data()), 8}) + '@' + std::string(domain) + '>';
}

std::string id_of_question(const notice& n, std::string_view domain)
{
    return id_of(n.hold, "asked " + (n.to ? n.to->id : person_id()).text(), domain);
}

// RFC 5322 §3.6.4, as far as ours go.
bool is_message_id(std::string_view text) noexcept
{
    return text.size() > 4 && text.size() < 400 && text.front() == '<' && text.back() == '>' && text.find('@') != std::string_view::npos &&
           std::ranges::all_of(text.substr(1, text.size() - 2), [](char c) { return c > 0x20 && c < 0x7F && c != '<' && c != '>'; });
}

std::string_view domain_of(const mailbox& who) noexcept { return std::string_view(who.address).substr(who.address.find('@') + 1); }

std::string part(std::string_view type, std::string_view content)
{
    return "Content-Type: " + std::string(type) + "; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
           quoted_printable(content);
}

}  // namespace

std::string message_id(const notice& n, std::string_view domain)
{
    return n.what == notice::kind::asked ? id_of_question(n, domain) : id_of(n.hold, "key " + n.key, domain);
}

std::string mail_message(const notice& n, const mailbox& from, std::string_view public_url)
{
    const std::string_view domain = domain_of(from);
    const letter words = letter_of(n, public_url);
    const mailbox to = n.to ? mailbox{n.to->name, n.to->email} : mailbox{};
    std::string mail = mailbox_field("From", from) + mailbox_field("To", to) + text_field("Subject", words.subject);
    const auto add = [&](std::string_view name, std::string_view value) {
        mail += name;
        mail += ": ";
        mail += value;
        mail += "\r\n";
    };
    add("Date", mail_date(n.told_at));
    add("Message-ID", message_id(n, domain));
    if (n.what != notice::kind::asked) {
        const std::string earlier = is_message_id(n.earlier_ref) ? n.earlier_ref : id_of_question(n, domain);
        add("In-Reply-To", earlier);
        add("References", earlier);
    }
    // RFC 3834 §5: nobody's absence is told to a program. Exchange knows only its own way to say so.
    add("Auto-Submitted", "auto-generated");
    add("X-Auto-Response-Suppress", "All");
    // For those who file their mail by rules (RFC 2919; the rest is ours).
    add("List-Id", "Sallyport <sallyport." + std::string(domain) + '>');
    add("X-Sallyport-Event", name_of(n.what));
    add("X-Sallyport-Hold", n.hold.text());
    add("MIME-Version", "1.0");
    // No line of quoted-printable can begin with `--=_` but this one: `=` is followed by digits there (RFC 2045 §6.7).
    constexpr std::string_view boundary = "=_sallyport";
    add("Content-Type", "multipart/alternative; boundary=\"" + std::string(boundary) + '"');
    const std::string between = "\r\n--" + std::string(boundary);
    mail += between + "\r\n" + part("text/plain", text_of(words));
    mail += between + "\r\n" + part("text/html", html_of(words));
    return mail += between + "--\r\n";
}

}  // namespace sallyport::notifiers
